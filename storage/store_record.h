/* store_record: the small fixed records of the store, to bytes and back.
 *
 * Keys are big-endian, so that LMDB's order is theirs; values little-endian.
 * Readers return false for what no writer wrote. */
#ifndef POT_STORAGE_STORE_RECORD_H
#define POT_STORAGE_STORE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/store_env.h"
#include "storage/store_snapshot.h"

#define RECORD_HEIGHT_SIZE     8
#define RECORD_TIP_SIZE        (8 + 2 * HASH_SIZE)
#define RECORD_PLACE_SIZE      12
#define RECORD_REWARD_KEY_SIZE (HASH_SIZE + 8 + 4)
#define RECORD_REWARD_SIZE     (HASH_SIZE + 4 + 8 + 4)
#define RECORD_ROUND_KEY_SIZE  (HASH_SIZE + 4)
#define RECORD_NODE_KEY_SIZE   3
#define RECORD_USES_SIZE       5
#define RECORD_TOTALS_SIZE     (STORE_TABLES * 16)
#define RECORD_LAST_SIZE       (8 + 1 + RECORD_TIP_SIZE)

/* Big-endian numbers of keys. */
void store_record_height(uint8_t out[static RECORD_HEIGHT_SIZE],
                         uint64_t height);
uint64_t store_record_read_height(const uint8_t key[static RECORD_HEIGHT_SIZE]);

void store_record_tip(uint8_t out[static RECORD_TIP_SIZE],
                      const struct store_tip *tip);
bool store_record_read_tip(struct store_tip *out, const void *data,
                           size_t size);

/* A place: the block and the index in it. */
void store_record_place(uint8_t out[static RECORD_PLACE_SIZE], uint64_t height,
                        uint32_t index);
bool store_record_read_place(uint64_t *height, uint32_t *index,
                             const void *data, size_t size);

/* Rewards are stored under their task and under their address; the value
 * holds the other of the two. */
void store_record_reward_key(uint8_t out[static RECORD_REWARD_KEY_SIZE],
                             const uint8_t owner[static HASH_SIZE],
                             uint64_t height, uint32_t index);
void store_record_reward(uint8_t out[static RECORD_REWARD_SIZE],
                         const struct store_reward *reward,
                         enum store_table table);
bool store_record_read_reward(struct store_reward *out, enum store_table table,
                              const void *key, size_t key_size,
                              const void *value, size_t value_size);

void store_record_round_key(uint8_t out[static RECORD_ROUND_KEY_SIZE],
                            const struct hash *task, uint32_t round);
bool store_record_read_round(struct store_round *out, const void *key,
                             size_t key_size, const void *value,
                             size_t value_size);

void store_record_node_key(uint8_t out[static RECORD_NODE_KEY_SIZE],
                           unsigned tier, unsigned index);
void store_record_bucket_key(uint8_t out[static 2], unsigned bucket);

/* Who uses a blob: see storage/store.h.  Stored as the number and a byte of
 * two bits. */
struct store_uses {
    uint32_t references; /* of the chain's */
    bool is_kept;        /* bit 0 */
    bool is_held;        /* bit 1: for a block */
};

bool store_uses_any(const struct store_uses *uses);

void store_record_uses(uint8_t out[static RECORD_USES_SIZE],
                       const struct store_uses *uses);
bool store_record_read_uses(struct store_uses *out, const void *data,
                            size_t size);

void store_record_totals(uint8_t out[static RECORD_TOTALS_SIZE],
                         const struct store_total totals[static STORE_TABLES]);
bool store_record_read_totals(struct store_total out[static STORE_TABLES],
                              const void *data, size_t size);

/* The snapshots that are kept, by ascending height; at most
 * STORE_SNAPSHOTS_MAX. */
#define RECORD_SNAPSHOTS_MAX (STORE_SNAPSHOTS_MAX * (8 + HASH_SIZE))

size_t store_record_snapshots(uint8_t out[static RECORD_SNAPSHOTS_MAX],
                              const struct store_snapshots *snapshots);
bool store_record_read_snapshots(struct store_snapshots *out, const void *data,
                                 size_t size);

/* What the tip file holds: LMDB's last transaction, and the tip in it. */
void store_record_last(uint8_t out[static RECORD_LAST_SIZE],
                       uint64_t transaction, const struct store_tip *tip);
bool store_record_read_last(uint64_t *transaction, struct store_tip *tip,
                            const void *data, size_t size);

#endif
