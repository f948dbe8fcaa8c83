#include "config.h"

#include "training/assign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct hash seed = {{1}};
static const struct public_key miner = {{2}};

static void rows_are_different_while_there_are_enough(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 2, 15, 16, 17, 99, 100};
    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        uint64_t rows[100];
        bool is_seen[100] = {false};
        assign_rows(rows, counts[i], &(struct assign_from){.rows = 100}, &seed,
                    &miner);
        for (size_t r = 0; r < counts[i]; r++) {
            assert_true(rows[r] < 100);
            assert_false(is_seen[rows[r]]);
            is_seen[rows[r]] = true;
        }
    }
}

static void rows_repeat_evenly_beyond_the_data_set(void **state)
{
    (void)state;
    uint64_t rows[25];
    size_t seen[10] = {0};
    assign_rows(rows, 25, &(struct assign_from){.rows = 10}, &seed, &miner);
    for (size_t r = 0; r < 25; r++) {
        assert_true(rows[r] < 10);
        seen[rows[r]]++;
    }
    for (size_t i = 0; i < 10; i++) {
        assert_true(seen[i] == 2 || seen[i] == 3);
    }
}

static void rows_depend_on_the_seed_and_the_miner_alone(void **state)
{
    (void)state;
    const struct hash other_seed = {{3}};
    const struct public_key other_miner = {{3}};
    uint64_t rows[64];
    uint64_t again[64];
    assign_rows(rows, 64, &(struct assign_from){.rows = 60000}, &seed, &miner);
    assign_rows(again, 64, &(struct assign_from){.rows = 60000}, &seed, &miner);
    assert_memory_equal(rows, again, sizeof(rows));
    assign_rows(again, 64, &(struct assign_from){.rows = 60000}, &other_seed,
                &miner);
    assert_memory_not_equal(rows, again, sizeof(rows));
    assign_rows(again, 64, &(struct assign_from){.rows = 60000}, &seed,
                &other_miner);
    assert_memory_not_equal(rows, again, sizeof(rows));
}

/* Every miner and validator must draw the same: these are for all time. */
static void rows_are_those_of_the_protocol(void **state)
{
    (void)state;
    const uint64_t wanted[4] = {36049, 15158, 7195, 47900};
    uint64_t rows[4];
    assign_rows(rows, 4, &(struct assign_from){.rows = 60000}, &seed, &miner);
    assert_memory_equal(rows, wanted, sizeof(rows));
}

static void rows_are_drawn_evenly(void **state)
{
    (void)state;
    size_t seen[8] = {0};
    for (unsigned i = 0; i < 4000; i++) {
        struct hash s = {{(uint8_t)i, (uint8_t)(i >> 8)}};
        uint64_t rows[2];
        assign_rows(rows, 2, &(struct assign_from){.rows = 8}, &s, &miner);
        seen[rows[0]]++;
        seen[rows[1]]++;
    }
    /* 1000 each; the deviation of one is about 27. */
    for (size_t i = 0; i < 8; i++) {
        assert_in_range(seen[i], 850, 1150);
    }
}

/* 95 rows in shards of 10, the last of 5: which shards are hit. */
static size_t count_shards(bool is_hit[static 10], const uint64_t *rows,
                           size_t count)
{
    size_t hit = 0;
    memset(is_hit, 0, 10 * sizeof(*is_hit));
    for (size_t i = 0; i < count; i++) {
        assert_true(rows[i] < 95);
        hit += is_hit[rows[i] / 10] ? 0 : 1;
        is_hit[rows[i] / 10] = true;
    }
    return hit;
}

static void rows_come_from_as_many_shards_as_are_asked_for(void **state)
{
    (void)state;
    const struct assign_from from = {.rows = 95, .shard_rows = 10, .shards = 3};
    size_t whole[10] = {0};
    bool is_hit[10];
    for (unsigned i = 0; i < 1000; i++) {
        struct hash s = {{(uint8_t)i, (uint8_t)(i >> 8)}};
        uint64_t rows[30];
        bool is_seen[95] = {false};
        assign_rows(rows, 25, &from, &s, &miner);
        assert_int_equal(count_shards(is_hit, rows, 25), 3);
        for (size_t r = 0; r < 25; r++) {
            assert_false(is_seen[rows[r]]);
            is_seen[rows[r]] = true;
        }
        /* All that is in them, and what is missing of the short one anew. */
        assign_rows(rows, 30, &from, &s, &miner);
        assert_int_equal(count_shards(is_hit, rows, 30), 3);
        for (size_t shard = 0; shard < 10; shard++) {
            whole[shard] += is_hit[shard] ? 1 : 0;
        }
    }
    /* 300 each; the deviation of one is about 15. */
    for (size_t shard = 0; shard < 10; shard++) {
        assert_in_range(whole[shard], 220, 380);
    }
}

static void enough_shards_are_all_rows(void **state)
{
    (void)state;
    uint64_t rows[40];
    uint64_t all[40];
    assign_rows(all, 40, &(struct assign_from){.rows = 95}, &seed, &miner);
    for (uint32_t shards = 10; shards < 12; shards++) {
        const struct assign_from from = {95, 10, shards};
        assign_rows(rows, 40, &from, &seed, &miner);
        assert_memory_equal(rows, all, sizeof(rows));
    }
    assign_rows(rows, 40, &(struct assign_from){95, 10, 9}, &seed, &miner);
    assert_memory_not_equal(rows, all, sizeof(rows));
}

/* For all time, too. */
static void shards_are_those_of_the_protocol(void **state)
{
    (void)state;
    const uint64_t wanted[4] = {42175, 49015, 49173, 48407};
    const struct assign_from from = {60000, 1337, 2};
    uint64_t rows[4];
    assign_rows(rows, 4, &from, &seed, &miner);
    assert_memory_equal(rows, wanted, sizeof(rows));
}

static void parts_cover_the_rows_in_whole_blocks(void **state)
{
    (void)state;
    static const size_t rows[] = {1, 63, 64, 65, 128, 200, 256, 1000, 5000};
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        for (size_t parts = 1; parts <= 9; parts++) {
            size_t next = 0;
            for (size_t p = 0; p < parts; p++) {
                struct assign_part part = assign_part(rows[i], parts, p);
                assert_int_equal(part.first, next);
                assert_int_equal(
                    part.first % assign_block_rows(rows[i]) * part.count, 0);
                next += part.count;
            }
            assert_int_equal(next, rows[i]);
        }
    }
}

static void blocks_are_neither_small_nor_large(void **state)
{
    (void)state;
    for (size_t rows = 1; rows < 10000; rows++) {
        assert_in_range(assign_block_rows(rows), 128, 512);
        assert_int_equal(assign_block_rows(rows) % 32, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_different_while_there_are_enough),
        cmocka_unit_test(rows_repeat_evenly_beyond_the_data_set),
        cmocka_unit_test(rows_depend_on_the_seed_and_the_miner_alone),
        cmocka_unit_test(rows_are_those_of_the_protocol),
        cmocka_unit_test(rows_are_drawn_evenly),
        cmocka_unit_test(rows_come_from_as_many_shards_as_are_asked_for),
        cmocka_unit_test(enough_shards_are_all_rows),
        cmocka_unit_test(shards_are_those_of_the_protocol),
        cmocka_unit_test(parts_cover_the_rows_in_whole_blocks),
        cmocka_unit_test(blocks_are_neither_small_nor_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
