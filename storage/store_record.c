#include "config.h"

#include "storage/store_record.h"

#include "base/bytes.h"
#include "base/check.h"

#include <string.h>

#define USES_KEPT 1U
#define USES_HELD 2U

static void write_big(uint8_t *out, uint64_t value, size_t size)
{
    for (size_t i = size; i > 0; i--) {
        out[i - 1] = (uint8_t)value;
        value >>= 8;
    }
}

static uint64_t read_big(const uint8_t *data, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        value = value << 8 | data[i];
    }
    return value;
}

void store_record_height(uint8_t out[static RECORD_HEIGHT_SIZE],
                         uint64_t height)
{
    write_big(out, height, RECORD_HEIGHT_SIZE);
}

uint64_t store_record_read_height(const uint8_t key[static RECORD_HEIGHT_SIZE])
{
    return read_big(key, RECORD_HEIGHT_SIZE);
}

void store_record_tip(uint8_t out[static RECORD_TIP_SIZE],
                      const struct store_tip *tip)
{
    struct bytes_writer w;
    bytes_writer_init(&w, out, RECORD_TIP_SIZE);
    bytes_write_u64(&w, tip->height);
    bytes_write(&w, tip->hash.b, HASH_SIZE);
    bytes_write(&w, tip->state_root.b, HASH_SIZE);
    POT_ASSERT(!w.is_overflown && w.offset == RECORD_TIP_SIZE);
}

bool store_record_read_tip(struct store_tip *out, const void *data, size_t size)
{
    struct bytes_reader r;
    bytes_reader_init(&r, data, size);
    out->is_set = true;
    out->height = bytes_read_u64(&r);
    bytes_read(&r, out->hash.b, HASH_SIZE);
    bytes_read(&r, out->state_root.b, HASH_SIZE);
    return bytes_is_done(&r);
}

void store_record_place(uint8_t out[static RECORD_PLACE_SIZE], uint64_t height,
                        uint32_t index)
{
    struct bytes_writer w;
    bytes_writer_init(&w, out, RECORD_PLACE_SIZE);
    bytes_write_u64(&w, height);
    bytes_write_u32(&w, index);
}

bool store_record_read_place(uint64_t *height, uint32_t *index,
                             const void *data, size_t size)
{
    struct bytes_reader r;
    bytes_reader_init(&r, data, size);
    *height = bytes_read_u64(&r);
    *index = bytes_read_u32(&r);
    return bytes_is_done(&r);
}

void store_record_reward_key(uint8_t out[static RECORD_REWARD_KEY_SIZE],
                             const uint8_t owner[static HASH_SIZE],
                             uint64_t height, uint32_t index)
{
    memcpy(out, owner, HASH_SIZE);
    write_big(out + HASH_SIZE, height, 8);
    write_big(out + HASH_SIZE + 8, index, 4);
}

void store_record_reward(uint8_t out[static RECORD_REWARD_SIZE],
                         const struct store_reward *reward,
                         enum store_table table)
{
    struct bytes_writer w;
    bytes_writer_init(&w, out, RECORD_REWARD_SIZE);
    bytes_write(&w, table == TABLE_REWARDS_TASK ? reward->to.b : reward->task.b,
                HASH_SIZE);
    bytes_write_u32(&w, reward->round);
    bytes_write_u64(&w, reward->amount);
    bytes_write_u32(&w, reward->reason);
    POT_ASSERT(!w.is_overflown && w.offset == RECORD_REWARD_SIZE);
}

bool store_record_read_reward(struct store_reward *out, enum store_table table,
                              const void *key, size_t key_size,
                              const void *value, size_t value_size)
{
    _Static_assert(HASH_SIZE == PUBLIC_KEY_SIZE, "both own rewards");
    const uint8_t *k = key;
    struct bytes_reader r;
    bool is_by_task = table == TABLE_REWARDS_TASK;
    if (key_size != RECORD_REWARD_KEY_SIZE) {
        return false;
    }
    memcpy(is_by_task ? out->task.b : out->to.b, k, HASH_SIZE);
    out->height = read_big(k + HASH_SIZE, 8);
    out->index = (uint32_t)read_big(k + HASH_SIZE + 8, 4);
    bytes_reader_init(&r, value, value_size);
    bytes_read(&r, is_by_task ? out->to.b : out->task.b, HASH_SIZE);
    out->round = bytes_read_u32(&r);
    out->amount = bytes_read_u64(&r);
    out->reason = bytes_read_u32(&r);
    return bytes_is_done(&r);
}

void store_record_round_key(uint8_t out[static RECORD_ROUND_KEY_SIZE],
                            const struct hash *task, uint32_t round)
{
    memcpy(out, task->b, HASH_SIZE);
    write_big(out + HASH_SIZE, round, 4);
}

bool store_record_read_round(struct store_round *out, const void *key,
                             size_t key_size, const void *value,
                             size_t value_size)
{
    const uint8_t *k = key;
    if (key_size != RECORD_ROUND_KEY_SIZE) {
        return false;
    }
    memcpy(out->task.b, k, HASH_SIZE);
    out->round = (uint32_t)read_big(k + HASH_SIZE, 4);
    return store_record_read_place(&out->height, &out->index, value,
                                   value_size);
}

void store_record_node_key(uint8_t out[static RECORD_NODE_KEY_SIZE],
                           unsigned tier, unsigned index)
{
    out[0] = (uint8_t)tier;
    write_big(out + 1, index, 2);
}

void store_record_bucket_key(uint8_t out[static 2], unsigned bucket)
{
    write_big(out, bucket, 2);
}

void store_record_uses(uint8_t out[static RECORD_USES_SIZE],
                       const struct store_uses *uses)
{
    struct bytes_writer w;
    bytes_writer_init(&w, out, RECORD_USES_SIZE);
    bytes_write_u32(&w, uses->references);
    bytes_write_u8(&w, (uint8_t)((uses->is_kept ? USES_KEPT : 0) |
                                 (uses->is_held ? USES_HELD : 0)));
}

bool store_record_read_uses(struct store_uses *out, const void *data,
                            size_t size)
{
    struct bytes_reader r;
    bytes_reader_init(&r, data, size);
    out->references = bytes_read_u32(&r);
    uint8_t bits = bytes_read_u8(&r);
    out->is_kept = (bits & USES_KEPT) != 0;
    out->is_held = (bits & USES_HELD) != 0;
    return bytes_is_done(&r) && bits <= (USES_KEPT | USES_HELD);
}

bool store_uses_any(const struct store_uses *uses)
{
    return uses->references > 0 || uses->is_kept || uses->is_held;
}

void store_record_totals(uint8_t out[static RECORD_TOTALS_SIZE],
                         const struct store_total totals[static STORE_TABLES])
{
    struct bytes_writer w;
    bytes_writer_init(&w, out, RECORD_TOTALS_SIZE);
    for (size_t i = 0; i < STORE_TABLES; i++) {
        bytes_write_u64(&w, totals[i].count);
        bytes_write_u64(&w, totals[i].sum);
    }
    POT_ASSERT(!w.is_overflown && w.offset == RECORD_TOTALS_SIZE);
}

bool store_record_read_totals(struct store_total out[static STORE_TABLES],
                              const void *data, size_t size)
{
    struct bytes_reader r;
    bytes_reader_init(&r, data, size);
    for (size_t i = 0; i < STORE_TABLES; i++) {
        out[i].count = bytes_read_u64(&r);
        out[i].sum = bytes_read_u64(&r);
    }
    return bytes_is_done(&r);
}

size_t store_record_snapshots(uint8_t out[static RECORD_SNAPSHOTS_MAX],
                              const struct store_snapshots *snapshots)
{
    struct bytes_writer w;
    bytes_writer_init(&w, out, RECORD_SNAPSHOTS_MAX);
    for (size_t i = 0; i < snapshots->count; i++) {
        bytes_write_u64(&w, snapshots->list[i].height);
        bytes_write(&w, snapshots->list[i].root.b, HASH_SIZE);
    }
    POT_ASSERT(!w.is_overflown);
    return w.offset;
}

bool store_record_read_snapshots(struct store_snapshots *out, const void *data,
                                 size_t size)
{
    struct bytes_reader r;
    uint64_t last = 0;
    bytes_reader_init(&r, data, size);
    for (out->count = 0; bytes_left(&r) > 0; out->count++) {
        if (out->count == STORE_SNAPSHOTS_MAX) {
            return false;
        }
        struct store_snapshot *snapshot = &out->list[out->count];
        snapshot->height = bytes_read_u64(&r);
        bytes_read(&r, snapshot->root.b, HASH_SIZE);
        if (r.is_short || snapshot->height <= last) {
            return false;
        }
        last = snapshot->height;
    }
    return true;
}

void store_record_last(uint8_t out[static RECORD_LAST_SIZE],
                       uint64_t transaction, const struct store_tip *tip)
{
    struct bytes_writer w;
    bytes_writer_init(&w, out, 9);
    bytes_write_u64(&w, transaction);
    bytes_write_u8(&w, tip->is_set);
    store_record_tip(out + 9, tip);
}

bool store_record_read_last(uint64_t *transaction, struct store_tip *tip,
                            const void *data, size_t size)
{
    struct bytes_reader r;
    bytes_reader_init(&r, data, size);
    *transaction = bytes_read_u64(&r);
    uint8_t is_set = bytes_read_u8(&r);
    size_t left = bytes_left(&r);
    if (r.is_short ||
        !store_record_read_tip(tip, bytes_borrow(&r, left), left)) {
        return false;
    }
    tip->is_set = is_set == 1;
    return is_set <= 1;
}
