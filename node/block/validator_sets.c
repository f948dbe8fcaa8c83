#include "config.h"

#include "node/block/validator_sets.h"

#include "base/check.h"
#include "base/limits.h"
#include "ledger/ledger.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "proto/codec.h"
#include "storage/overlay.h"
#include "storage/store.h"

#include <stdlib.h>

void validator_sets_next(struct hash *out, const struct state *state)
{
    struct validator_set set;
    ledger_validators(state, &set);
    validator_set_hash(out, &set);
}

void validator_sets_keep(struct overlay *overlay, const struct state *state,
                         const struct hash *key)
{
    struct validator_set set;
    size_t size;
    ledger_validators(state, &set);
    uint8_t *data = validator_set_encode(&size, &set);
    overlay_blob_put(overlay, key, data, size);
    free(data);
}

enum pot_err validator_sets_key(const struct holdings *holdings,
                                uint64_t height, struct hash *key)
{
    struct hash hash;
    Pot__BlockHeader *header;
    POT_ASSERT(height > 0);
    if (height == 1) {
        *key = holdings->genesis_hash;
        return POT_OK;
    }
    enum pot_err err =
        stored_header(&header, &hash, holdings->store, height - 1);
    if (err == POT_OK && !codec_hash(key, header->validators_hash)) {
        err = POT_ECORRUPT;
    }
    codec_free(header);
    return err;
}

/* Any blob can be kept under the hash of its bytes, also one that would be a
 * set: a set's key is the hash of its keys. */
static bool is_key_of(const struct holdings *holdings, const struct hash *key,
                      const struct validator_set *set)
{
    struct hash hash;
    validator_set_hash(&hash, set);
    return hash_equal(key, &hash) || hash_equal(key, &holdings->genesis_hash);
}

enum pot_err validator_sets_read(const struct holdings *holdings,
                                 const struct hash *key,
                                 struct validator_set *out)
{
    struct buf data;
    buf_init(&data, BLOCK_BYTES_MAX);
    enum pot_err err = store_blob_get(holdings->store, key, &data);
    if (err == POT_ENOENT ||
        (err == POT_OK &&
         (validator_set_decode(out, data.data, data.size) != POT_OK ||
          !is_key_of(holdings, key, out)))) {
        err = POT_ECORRUPT;
    }
    buf_fini(&data);
    return err;
}

enum pot_err validator_sets_at(const struct holdings *holdings, uint64_t height,
                               struct validator_set *out)
{
    struct hash key;
    enum pot_err err = validator_sets_key(holdings, height, &key);
    return err == POT_OK ? validator_sets_read(holdings, &key, out) : err;
}
