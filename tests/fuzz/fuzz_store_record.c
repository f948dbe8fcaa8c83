/* The store's fixed records: what decodes encodes to the same bytes. */
#include "config.h"

#include "base/check.h"
#include "storage/store_record.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_reward(enum store_table table, const uint8_t *data,
                         size_t size)
{
    struct store_reward reward;
    uint8_t key[RECORD_REWARD_KEY_SIZE];
    uint8_t value[RECORD_REWARD_SIZE];
    size_t key_size = size < sizeof(key) ? size : sizeof(key);
    if (!store_record_read_reward(&reward, table, data, key_size,
                                  data + key_size, size - key_size)) {
        return;
    }
    store_record_reward_key(
        key, table == TABLE_REWARDS_TASK ? reward.task.b : reward.to.b,
        reward.height, reward.index);
    store_record_reward(value, &reward, table);
    POT_ASSERT(memcmp(key, data, sizeof(key)) == 0);
    POT_ASSERT(memcmp(value, data + key_size, sizeof(value)) == 0);
}

static void check_round(const uint8_t *data, size_t size)
{
    struct store_round round;
    uint8_t key[RECORD_ROUND_KEY_SIZE];
    uint8_t place[RECORD_PLACE_SIZE];
    size_t key_size = size < sizeof(key) ? size : sizeof(key);
    if (!store_record_read_round(&round, data, key_size, data + key_size,
                                 size - key_size)) {
        return;
    }
    store_record_round_key(key, &round.task, round.round);
    store_record_place(place, round.height, round.index);
    POT_ASSERT(memcmp(key, data, sizeof(key)) == 0);
    POT_ASSERT(memcmp(place, data + key_size, sizeof(place)) == 0);
}

static void check_uses(const uint8_t *data, size_t size)
{
    struct store_uses uses;
    uint8_t raw[RECORD_USES_SIZE];
    if (store_record_read_uses(&uses, data, size)) {
        store_record_uses(raw, &uses);
        POT_ASSERT(memcmp(raw, data, size) == 0);
    }
}

static void check_snapshots(const uint8_t *data, size_t size)
{
    struct store_snapshots snapshots;
    uint8_t raw[RECORD_SNAPSHOTS_MAX];
    if (store_record_read_snapshots(&snapshots, data, size)) {
        POT_ASSERT(store_record_snapshots(raw, &snapshots) == size);
        POT_ASSERT(size == 0 || memcmp(raw, data, size) == 0);
    }
}

static void check_meta(const uint8_t *data, size_t size)
{
    struct store_total totals[STORE_TABLES];
    struct store_tip tip;
    uint8_t raw[RECORD_TOTALS_SIZE];
    uint64_t transaction;
    if (store_record_read_totals(totals, data, size)) {
        store_record_totals(raw, totals);
        POT_ASSERT(memcmp(raw, data, size) == 0);
    }
    if (store_record_read_tip(&tip, data, size)) {
        store_record_tip(raw, &tip);
        POT_ASSERT(memcmp(raw, data, size) == 0);
    }
    if (store_record_read_last(&transaction, &tip, data, size)) {
        store_record_last(raw, transaction, &tip);
        POT_ASSERT(memcmp(raw, data, size) == 0);
    }
    check_snapshots(data, size);
}

static void check_table(enum store_table table, const uint8_t *data,
                        size_t size)
{
    switch (table) {
    case TABLE_META:
        check_meta(data, size);
        break;
    case TABLE_REWARDS_TASK:
    case TABLE_REWARDS_ADDRESS:
        check_reward(table, data, size);
        break;
    case TABLE_ROUNDS:
        check_round(data, size);
        break;
    case TABLE_BLOB_USES:
        check_uses(data, size);
        break;
    case TABLE_HEIGHTS: /* a place, as of a round */
    case TABLE_TXS:
    case TABLE_BLOCKS: /* no record of ours */
    case TABLE_CERTIFICATES:
    case TABLE_STATE:
    case TABLE_BUCKETS:
    case TABLE_NODES:
    case TABLE_BLOBS:
    case TABLE_HEADERS:
    case STORE_TABLES:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _Static_assert(RECORD_LAST_SIZE <= RECORD_TOTALS_SIZE, "one buffer");
    for (unsigned i = 0; i < STORE_TABLES; i++) {
        check_table((enum store_table)i, data, size);
    }
    return 0;
}
