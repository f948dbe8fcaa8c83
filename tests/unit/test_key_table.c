#include "config.h"

#include "base/key_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEYS 3000

/* The i-th key: its size says something about it, its bytes all. */
static size_t key_of(uint8_t key[static 8], unsigned i)
{
    memset(key, 0xab, 8);
    memcpy(key, &i, sizeof(i));
    return 2 + i % 7;
}

/* Against an array, in an order in which every key comes several times. */
static void fill(struct key_table *table, const uint8_t *seed)
{
    static bool is_there[KEYS];
    memset(is_there, 0, sizeof(is_there));
    key_table_init(table, sizeof(unsigned), seed);
    for (unsigned step = 0; step < 4 * KEYS; step++) {
        uint8_t key[8];
        unsigned i = step * 1237 % KEYS;
        size_t size = key_of(key, i);
        const unsigned *found = key_table_find(table, key, size);
        assert_true((found != NULL) == is_there[i]);
        assert_ptr_equal(
            key_table_find_hashed(table, key_table_hash(table->seed, key, size),
                                  key, size),
            found);
        unsigned *value = key_table_add(table, key, size);
        assert_int_equal(*value, is_there[i] ? i + 1 : 0);
        *value = i + 1;
        is_there[i] = true;
    }
}

static void what_was_added_is_found(void **state)
{
    struct key_table table;
    (void)state;
    fill(&table, NULL);
    assert_int_equal(table.count, KEYS);
    assert_null(key_table_find(&table, "x", 1));
    key_table_fini(&table);
}

static void entries_lie_in_the_order_they_came(void **state)
{
    static const uint8_t seeds[2][KEY_TABLE_SEED_SIZE] = {"one", "two"};
    (void)state;
    for (size_t s = 0; s < 2; s++) {
        struct key_table table;
        fill(&table, seeds[s]);
        for (unsigned i = 0; i < KEYS; i++) {
            uint8_t key[8];
            unsigned which = i * 1237 % KEYS;
            size_t size = key_of(key, which);
            assert_int_equal(*(unsigned *)key_table_at(&table, i), which + 1);
            assert_int_equal(table.keys[i].size, size);
            assert_memory_equal(table.keys[i].bytes, key, size);
        }
        key_table_fini(&table);
    }
}

static void an_empty_table_has_nothing(void **state)
{
    struct key_table table;
    (void)state;
    key_table_init(&table, 1, NULL);
    assert_null(key_table_find(&table, "x", 1));
    assert_int_equal(table.count, 0);
    key_table_fini(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_added_is_found),
        cmocka_unit_test(entries_lie_in_the_order_they_came),
        cmocka_unit_test(an_empty_table_has_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
