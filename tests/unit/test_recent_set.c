#include "config.h"

#include "base/recent_set.h"

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

static void the_latest_are_known_and_the_oldest_forgotten(void **state)
{
    struct recent_set set;
    (void)state;
    recent_set_init(&set, SIZE);
    for (unsigned i = 0; i < 100; i++) {
        assert_false(has(&set, i));
        add(&set, i);
        for (unsigned j = 0; j <= i; j++) {
            assert_true(has(&set, j) || j + SIZE <= i);
            assert_false(has(&set, j) && j + 2 * SIZE <= i);
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
    for (unsigned i = 0; i < SIZE + 1; i++) {
        add(&set, i); /* the last one alone is young */
    }
    for (unsigned i = 0; i < SIZE + 1; i++) {
        uint8_t key[MAP_KEY_SIZE] = {0};
        memcpy(key, &i, sizeof(i));
        recent_set_remove(&set, key);
        assert_false(has(&set, i));
        recent_set_remove(&set, key);
    }
    recent_set_fini(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_latest_are_known_and_the_oldest_forgotten),
        cmocka_unit_test(what_comes_again_makes_no_room),
        cmocka_unit_test(what_is_met_again_stays),
        cmocka_unit_test(what_is_removed_was_never_met),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
