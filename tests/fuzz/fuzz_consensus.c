/* Consensus messages and records as bytes.  The input is taken as a record,
 * as a message, and as a list of messages behind u16 sizes: decoded,
 * encoded again, verified, and stepped when they are right. */
#include "config.h"

#include "base/bytes.h"
#include "base/check.h"
#include "consensus/pbft.h"
#include "proto/codec.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct validator_set set;
static const struct hash chain = {{1}};
static struct key *key;

static void make_set(void)
{
    if (key != NULL) {
        return;
    }
    set.count = 4;
    for (uint8_t i = 0; i < set.count; i++) {
        uint8_t seed[32] = {'f', i};
        struct key *each = key_from_seed(seed);
        set.keys[i] = *key_public(each);
        if (i == 1) {
            key = each;
        } else {
            key_free(each);
        }
    }
}

static void step_message(struct pbft *pbft, struct pbft_effects *effects,
                         const uint8_t *data, size_t size)
{
    Pot__ConsensusMessage *message;
    if (CODEC_DECODE(&message, pot__consensus_message, data, size) != POT_OK) {
        return;
    }
    size_t again;
    uint8_t *packed = codec_encode(&again, message);
    POT_ASSERT(again == size && memcmp(packed, data, size) == 0);
    free(packed);
    if (pbft_verify(&set, &chain, message)) {
        struct pbft_event event = {.type = PBFT_MESSAGE};
        event.u.message.message = message;
        event.u.message.from = 2;
        pbft_step(pbft, &event, effects);
    }
    codec_free(message);
}

/* A record from the disk, whatever is in it, is refused or taken whole. */
static void open_record(const struct pbft_config *config, const uint8_t *data,
                        size_t size)
{
    enum pot_err err;
    struct pbft *pbft = pbft_new(config, data, size, &err);
    POT_ASSERT((pbft == NULL) == (err != POT_OK));
    pbft_free(pbft);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    make_set();
    enum pot_err err;
    struct pbft_effects effects = {0};
    struct pbft_config config = {
        .chain = chain,
        .validators = &set,
        .key = key,
        .propose_timeout_ms = 100,
        .propose_timeout_max_ms = 1000,
        .idle_interval_ms = 100,
    };
    open_record(&config, data, size);
    struct pbft *pbft = pbft_new(&config, NULL, 0, &err);
    struct pbft_event start = {.type = PBFT_START};
    pbft_step(pbft, &start, &effects);
    step_message(pbft, &effects, data, size);
    struct bytes_reader r;
    bytes_reader_init(&r, data, size);
    while (bytes_left(&r) > 2) {
        size_t each = bytes_read_u16(&r);
        const uint8_t *bytes = bytes_borrow(&r, each);
        if (bytes == NULL) {
            break;
        }
        step_message(pbft, &effects, bytes, each);
    }
    pbft_free(pbft);
    pbft_effects_fini(&effects);
    return 0;
}
