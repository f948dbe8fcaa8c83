#include "config.h"

#include "base/recent_set.h"

#include "tests/rng.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SIZE 10

static bool has(const struct recent_set *set, unsigned i)
{
    uint8_t key[MAP_KEY_SIZE] = {0};
    memcpy(key, &i, sizeof(i));
    return recent_set_has(set, key);
}

static void add(struct recent_set *set, unsigned i)
{
    uint8_t key[MAP_KEY_SIZE] = {0};
    memcpy(key, &i, sizeof(i));
    recent_set_add(set, key);
    assert_true(recent_set_has(set, key));
}

static void remove_key(struct recent_set *set, unsigned i)
{
    uint8_t key[MAP_KEY_SIZE] = {0};
    memcpy(key, &i, sizeof(i));
    recent_set_remove(set, key);
    assert_false(has(set, i));
}

static void the_latest_are_known_and_the_oldest_forgotten(void **state)
{
    struct recent_set set;
    (void)state;
    recent_set_init(&set, SIZE);
    for (unsigned i = 0; i < 100; i++) {
        assert_false(has(&set, i));
        add(&set, i);
        for (unsigned j = 0; j <= i; j++) {
            assert_int_equal(has(&set, j), j + SIZE > i);
        }
    }
    recent_set_fini(&set);
}

static void what_comes_again_makes_no_room(void **state)
{
    struct recent_set set;
    (void)state;
    recent_set_init(&set, SIZE);
    for (unsigned i = 0; i < SIZE; i++) {
        add(&set, i);
    }
    for (unsigned i = 0; i < 100; i++) {
        add(&set, SIZE - 1);
    }
    assert_true(has(&set, 0));
    recent_set_fini(&set);
}

static void what_is_met_again_stays(void **state)
{
    struct recent_set set;
    (void)state;
    recent_set_init(&set, SIZE);
    for (unsigned i = 0; i < 100; i++) {
        add(&set, 1000);
        add(&set, i);
    }
    assert_true(has(&set, 1000));
    recent_set_fini(&set);
}

static void what_is_removed_was_never_met(void **state)
{
    struct recent_set set;
    (void)state;
    recent_set_init(&set, SIZE);
    for (unsigned i = 0; i < SIZE; i++) {
        add(&set, i);
    }
    for (unsigned i = 0; i < SIZE; i++) {
        remove_key(&set, i);
        remove_key(&set, i);
    }
    recent_set_fini(&set);
}

/* Against a list that is searched from its end. */
static void it_is_a_list_of_the_latest(void **state)
{
    struct recent_set set;
    unsigned list[SIZE];
    unsigned count = 0;
    uint64_t seed = 7;
    (void)state;
    recent_set_init(&set, SIZE);
    for (unsigned step = 0; step < 20000; step++) {
        unsigned key = (unsigned)(rng_next(&seed) % (2 * SIZE));
        unsigned at = 0;
        while (at < count && list[at] != key) {
            at++;
        }
        assert_int_equal(has(&set, key), at < count);
        bool is_added = rng_next(&seed) % 4 != 0;
        if (at < count || (is_added && count == SIZE)) {
            at = at < count ? at : 0;
            count--;
            memmove(&list[at], &list[at + 1], (count - at) * sizeof(*list));
        }
        if (is_added) {
            add(&set, key);
            list[count++] = key;
        } else {
            remove_key(&set, key);
        }
    }
    recent_set_fini(&set);
}

/* A node's memory is the same at its start and a month later. */
static void its_memory_is_taken_when_it_is_made(void **state)
{
    struct recent_set set;
    size_t size = 50000;
    (void)state;
    recent_set_init(&set, size);
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    for (unsigned i = 0; i < 3 * size; i++) {
        add(&set, i);
    }
    assert_int_equal(mallinfo2().uordblks + mallinfo2().hblkhd, before);
    recent_set_fini(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_latest_are_known_and_the_oldest_forgotten),
        cmocka_unit_test(what_comes_again_makes_no_room),
        cmocka_unit_test(what_is_met_again_stays),
        cmocka_unit_test(what_is_removed_was_never_met),
        cmocka_unit_test(it_is_a_list_of_the_latest),
        cmocka_unit_test(its_memory_is_taken_when_it_is_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
