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
        assign_rows(rows, counts[i], 100, &seed, &miner);
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
    assign_rows(rows, 25, 10, &seed, &miner);
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
    assign_rows(rows, 64, 60000, &seed, &miner);
    assign_rows(again, 64, 60000, &seed, &miner);
    assert_memory_equal(rows, again, sizeof(rows));
    assign_rows(again, 64, 60000, &other_seed, &miner);
    assert_memory_not_equal(rows, again, sizeof(rows));
    assign_rows(again, 64, 60000, &seed, &other_miner);
    assert_memory_not_equal(rows, again, sizeof(rows));
}

/* Every miner and validator must draw the same: these are for all time. */
static void rows_are_those_of_the_protocol(void **state)
{
    (void)state;
    const uint64_t wanted[4] = {36049, 15158, 7195, 47900};
    uint64_t rows[4];
    assign_rows(rows, 4, 60000, &seed, &miner);
    assert_memory_equal(rows, wanted, sizeof(rows));
}

static void rows_are_drawn_evenly(void **state)
{
    (void)state;
    size_t seen[8] = {0};
    for (unsigned i = 0; i < 4000; i++) {
        struct hash s = {{(uint8_t)i, (uint8_t)(i >> 8)}};
        uint64_t rows[2];
        assign_rows(rows, 2, 8, &s, &miner);
        seen[rows[0]]++;
        seen[rows[1]]++;
    }
    /* 1000 each; the deviation of one is about 27. */
    for (size_t i = 0; i < 8; i++) {
        assert_in_range(seen[i], 850, 1150);
    }
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
        cmocka_unit_test(parts_cover_the_rows_in_whole_blocks),
        cmocka_unit_test(blocks_are_neither_small_nor_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
