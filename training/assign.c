/* A miner's rows are a random subset (R. W. Floyd's algorithm): for j from
 * n - count to n - 1, draw t in [0, j]; take t, or j if t is taken already.
 * Every subset is equally likely, at one draw a row and with no table over
 * the data set.  The numbers are BLAKE2b of (seed, miner, counter).
 *
 * Shards are drawn in the same way, before the rows, which are numbers of the
 * rows in them then, in the shards' order. */
#include "config.h"

#include "training/assign.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/check.h"

#include <stdbool.h>
#include <stdlib.h>

/* Moving a block's gradient to integers must stay cheap beside its products. */
#define BLOCK_ROWS_MIN  128
#define BLOCK_ROWS_MAX  512
#define BLOCK_ROWS_STEP 32
/* Blocks that a small task is cut into, so that some cores can share it. */
#define BLOCKS_WANTED 4

struct draws {
    const struct hash *seed;
    const struct public_key *miner;
    uint64_t counter;
    struct hash numbers; /* four of them */
    unsigned used;       /* 0 <= used <= 4 */
};

static uint64_t draws_next(struct draws *d)
{
    if (d->used == 4) {
        struct hasher h;
        hasher_init(&h, "assign");
        hasher_add(&h, d->seed->b, HASH_SIZE);
        hasher_add(&h, d->miner->b, PUBLIC_KEY_SIZE);
        hasher_add_u64(&h, d->counter++);
        hasher_final(&h, &d->numbers);
        d->used = 0;
    }
    struct bytes_reader r;
    bytes_reader_init(&r, d->numbers.b + 8 * d->used++, 8);
    return bytes_read_u64(&r);
}

/* Uniform in [0, bound): what lies beyond the last multiple is drawn anew. */
static uint64_t draws_below(struct draws *d, uint64_t bound)
{
    uint64_t rest = (UINT64_MAX % bound + 1) % bound;
    uint64_t value;
    do {
        value = draws_next(d);
    } while (value > UINT64_MAX - rest);
    return value % bound;
}

/* An open-addressed set of row + 1; capacity a power of two, half empty. */
struct row_set {
    uint64_t *slots;
    size_t mask;
};

static bool row_set_add(struct row_set *set, uint64_t row)
{
    size_t at = (size_t)(row * UINT64_C(0x9e3779b97f4a7c15) >> 20) & set->mask;
    while (set->slots[at] != 0) {
        if (set->slots[at] == row + 1) {
            return false;
        }
        at = (at + 1) & set->mask;
    }
    set->slots[at] = row + 1;
    return true;
}

static void draw_subset(uint64_t *rows, size_t count, uint64_t all,
                        struct draws *d)
{
    size_t capacity = 16;
    while (capacity < 2 * count) {
        capacity *= 2;
    }
    struct row_set set = {pot_calloc(capacity, sizeof(uint64_t)), capacity - 1};
    for (size_t i = 0; i < count; i++) {
        uint64_t j = all - count + i;
        uint64_t row = draws_below(d, j + 1);
        if (!row_set_add(&set, row)) {
            row = j;
            bool is_new = row_set_add(&set, j);
            POT_ASSERT(is_new);
        }
        rows[i] = row;
    }
    free(set.slots);
}

static void draw_rows(uint64_t *rows, size_t count, uint64_t all,
                      struct draws *d)
{
    size_t drawn = (size_t)(count % all);
    draw_subset(rows, drawn, all, d);
    for (size_t i = drawn; i < count; i++) {
        rows[i] = (i - drawn) % all;
    }
}

static int compare_shards(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;
    return (*x > *y) - (*x < *y);
}

/* Only the data set's last shard may be short, and it comes last. */
static void draw_from_shards(uint64_t *rows, size_t count,
                             const struct assign_from *from, uint64_t last,
                             struct draws *d)
{
    uint64_t *shards = pot_calloc(from->shards, sizeof(*shards));
    uint64_t size = from->shard_rows;
    draw_subset(shards, from->shards, last + 1, d);
    qsort(shards, from->shards, sizeof(*shards), compare_shards);
    uint64_t all = from->shards * size;
    if (shards[from->shards - 1] == last) {
        all -= (last + 1) * size - from->rows;
    }
    draw_rows(rows, count, all, d);
    for (size_t i = 0; i < count; i++) {
        rows[i] = shards[rows[i] / size] * size + rows[i] % size;
    }
    free(shards);
}

void assign_rows(uint64_t *rows, size_t count, const struct assign_from *from,
                 const struct hash *round_seed, const struct public_key *miner)
{
    POT_ASSERT(from->rows > 0 && from->rows < UINT64_MAX);
    POT_ASSERT(from->shards == 0 || from->shard_rows > 0);
    POT_ASSERT(count <= SIZE_MAX / 4);
    struct draws draws = {.seed = round_seed, .miner = miner, .used = 4};
    uint64_t last = from->shards > 0 ? (from->rows - 1) / from->shard_rows : 0;
    if (from->shards <= last && from->shards > 0) {
        draw_from_shards(rows, count, from, last, &draws);
    } else {
        draw_rows(rows, count, from->rows, &draws);
    }
}

size_t assign_block_rows(size_t rows)
{
    size_t wanted = rows / BLOCKS_WANTED + (rows % BLOCKS_WANTED != 0);
    if (wanted >= BLOCK_ROWS_MAX) {
        return BLOCK_ROWS_MAX;
    }
    wanted = (wanted + BLOCK_ROWS_STEP - 1) / BLOCK_ROWS_STEP * BLOCK_ROWS_STEP;
    return wanted < BLOCK_ROWS_MIN ? BLOCK_ROWS_MIN : wanted;
}

struct assign_part assign_part(size_t rows, size_t parts, size_t index)
{
    POT_ASSERT(index < parts);
    POT_ASSERT(rows <= SIZE_MAX / 2 / parts);
    size_t block = assign_block_rows(rows);
    size_t blocks = rows / block + (rows % block != 0);
    size_t first = blocks * index / parts * block;
    size_t end = blocks * (index + 1) / parts * block;
    first = first > rows ? rows : first;
    end = end > rows ? rows : end;
    return (struct assign_part){.first = first, .count = end - first};
}
