#include "config.h"

#include "ledger/list.h"

#include "base/alloc.h"
#include "ledger/record.h"
#include "proto/codec.h"

#include <stdlib.h>
#include <string.h>

Pot__HashList *list_load(const struct state *state, struct state_key key)
{
    Pot__HashList *list = record_load(state, key, &pot__hash_list__descriptor);
    if (list == NULL) {
        list = pot_alloc(sizeof(*list));
        pot__hash_list__init(list);
    }
    return list;
}

size_t list_count(const struct state *state, struct state_key key)
{
    Pot__HashList *list = list_load(state, key);
    size_t count = list->n_hashes;
    codec_free(list);
    return count;
}

/* An empty list leaves nothing behind. */
static void list_store(const struct state *state, struct state_key key,
                       Pot__HashList *list)
{
    if (list->n_hashes > 0) {
        record_store(state, key, list);
    } else {
        state->del(state->context, key.b, key.size);
    }
    codec_free(list);
}

static void list_put_at(Pot__HashList *list, size_t at,
                        const uint8_t value[static 32])
{
    list->hashes =
        pot_realloc(list->hashes, list->n_hashes + 1, sizeof(*list->hashes));
    memmove(&list->hashes[at + 1], &list->hashes[at],
            (list->n_hashes - at) * sizeof(*list->hashes));
    list->hashes[at] = codec_copy_bytes(value, 32);
    list->n_hashes++;
}

void list_append(const struct state *state, struct state_key key,
                 const uint8_t value[static 32])
{
    Pot__HashList *list = list_load(state, key);
    list_put_at(list, list->n_hashes, value);
    list_store(state, key, list);
}

void list_insert(const struct state *state, struct state_key key,
                 const uint8_t value[static 32])
{
    Pot__HashList *list = list_load(state, key);
    size_t at = 0;
    while (at < list->n_hashes &&
           memcmp(list->hashes[at].data, value, 32) < 0) {
        at++;
    }
    list_put_at(list, at, value);
    list_store(state, key, list);
}

void list_remove(const struct state *state, struct state_key key,
                 const uint8_t value[static 32])
{
    Pot__HashList *list = list_load(state, key);
    for (size_t i = 0; i < list->n_hashes; i++) {
        if (memcmp(list->hashes[i].data, value, 32) == 0) {
            free(list->hashes[i].data);
            memmove(&list->hashes[i], &list->hashes[i + 1],
                    (list->n_hashes - i - 1) * sizeof(*list->hashes));
            list->n_hashes--;
            break;
        }
    }
    list_store(state, key, list);
}
