#include "config.h"

#include "node/round/held_back.h"

#include "base/alloc.h"
#include "p2p/gossip.h"
#include "proto/codec.h"
#include "proto/signed.h"

#include <stdlib.h>

struct held {
    Pot__Signed *message;
    uint64_t due_ms;
    uint8_t type;
};

void held_back_fini(struct held_back *held_back)
{
    for (size_t i = held_back->told; i < held_back->count; i++) {
        codec_free(held_back->all[i].message);
    }
    free(held_back->all);
    *held_back = (struct held_back){0};
}

static void tell(struct gossip *gossip, uint8_t type,
                 const Pot__Signed *message)
{
    size_t size;
    uint8_t *data = codec_encode(&size, message);
    gossip_tell_fellows(gossip, type, data, size);
    free(data);
}

void held_back_add(struct held_back *held_back, struct gossip *gossip,
                   uint8_t type, const Pot__Signed *message, uint64_t now_ms)
{
    if (held_back->count == HELD_BACK_MAX) {
        tell(gossip, type, message);
        return;
    }
    held_back->all = pot_realloc(held_back->all, held_back->count + 1,
                                 sizeof(*held_back->all));
    held_back->all[held_back->count++] =
        (struct held){signed_copy(message), now_ms + HELD_BACK_MS, type};
}

/* Each waits as long: the first ones are due first. */
void held_back_tick(struct held_back *held_back, struct gossip *gossip,
                    uint64_t now_ms)
{
    while (held_back->told < held_back->count &&
           now_ms >= held_back->all[held_back->told].due_ms) {
        const struct held *held = &held_back->all[held_back->told++];
        tell(gossip, held->type, held->message);
        codec_free(held->message);
    }
}
