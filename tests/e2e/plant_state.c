/* plant_state STORE ADDRESS AMOUNT: a block that nobody made, on top of a
 * stopped node's store, behind which the account has so much more: what a
 * state looks like that is not the network's.  AMOUNT 0: the same block, and
 * the state as it was. */
#include "config.h"

#include "base/check.h"
#include "ledger/keys.h"
#include "proto/codec.h"
#include "proto/state.pb-c.h"
#include "storage/overlay.h"
#include "storage/store.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#define MAP_BYTES ((size_t)64 << 20)

static void plant(struct overlay *overlay, const struct state_key *key,
                  uint64_t amount)
{
    struct buf value;
    size_t size;
    Pot__AccountRecord *record;
    buf_init(&value, STORE_VALUE_MAX);
    bool is_there = overlay_get(overlay, key->b, key->size, &value);
    POT_ASSERT(is_there);
    enum pot_err err =
        CODEC_DECODE(&record, pot__account_record, value.data, value.size);
    POT_ASSERT(err == POT_OK);
    record->balance += amount;
    uint8_t *data = codec_encode(&size, record);
    overlay_put(overlay, key->b, key->size, data, size);
    codec_free(record);
    free(data);
    buf_fini(&value);
}

int main(int argc, char **argv)
{
    char why[256] = "";
    struct store *store;
    struct public_key account;
    struct store_commit commit = {.block = "none",
                                  .block_size = 4,
                                  .certificate = "none",
                                  .certificate_size = 4};
    if (argc != 4 || sodium_init() < 0 ||
        address_parse(&account, argv[2]) != POT_OK ||
        store_open(&store, argv[1], MAP_BYTES, why, sizeof(why)) != POT_OK) {
        fprintf(stderr, "plant_state STORE ADDRESS AMOUNT: %s\n", why);
        return EXIT_FAILURE;
    }
    struct state_key key = keys_account(&account);
    struct overlay *overlay = overlay_new(store);
    (void)store_tip(store, &commit.height, &commit.parent, NULL);
    commit.height++;
    commit.hash.b[0] = 1;
    plant(overlay, &key, strtoull(argv[3], NULL, 10));
    enum pot_err err = overlay_root(overlay, &commit.state_root);
    if (err == POT_OK) {
        err = store_commit(store, &commit, overlay);
    }
    overlay_free(overlay);
    store_close(store);
    fprintf(stderr, "%s\n", err_text(err));
    return err == POT_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
