#include "config.h"

#include "base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEYS 500

static void key_of(uint8_t key[static MAP_KEY_SIZE], unsigned i)
{
    memset(key, 0, MAP_KEY_SIZE);
    key[30] = (uint8_t)(i >> 8);
    key[31] = (uint8_t)i;
}

/* Against the plainest model there is: an array of what should be there. */
static void random_changes_agree_with_an_array(void **state)
{
    (void)state;
    static int values[KEYS];
    void *model[KEYS] = {NULL};
    size_t count = 0;
    struct map map = {0};
    uint32_t random = 12345;
    for (unsigned step = 0; step < 100000; step++) {
        uint8_t key[MAP_KEY_SIZE];
        random = random * 1664525 + 1013904223;
        unsigned i = random >> 8 & 0xffff;
        i %= KEYS;
        key_of(key, i);
        assert_ptr_equal(map_get(&map, key), model[i]);
        if ((random >> 30) > 1) {
            count += model[i] == NULL ? 1 : 0;
            assert_ptr_equal(map_put(&map, key, &values[i]), model[i]);
            model[i] = &values[i];
        } else {
            count -= model[i] != NULL ? 1 : 0;
            assert_ptr_equal(map_remove(&map, key), model[i]);
            model[i] = NULL;
        }
        assert_int_equal(map.count, count);
    }
    void **all = map_values(&map);
    size_t cursor = 0;
    size_t seen = 0;
    for (const struct map_slot *s; (s = map_next(&map, &cursor)) != NULL;) {
        unsigned i = (unsigned)(s->key[30] << 8 | s->key[31]);
        assert_ptr_equal(s->value, model[i]);
        assert_ptr_equal(s->value, all[seen]);
        seen++;
    }
    assert_int_equal(seen, count);
    free(all);
    map_fini(&map);
}

static void a_map_lets_go_of_its_values(void **state)
{
    (void)state;
    uint8_t key[MAP_KEY_SIZE];
    struct map map = {0};
    for (unsigned i = 0; i < KEYS; i++) {
        void *value = malloc(1);
        assert_non_null(value);
        key_of(key, i);
        assert_null(map_put(&map, key, value));
    }
    map_fini_free(&map); /* a leak is the sanitizers' to find */
    assert_int_equal(map.count, 0);
    assert_null(map_get(&map, key));
    map_fini_free(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_changes_agree_with_an_array),
        cmocka_unit_test(a_map_lets_go_of_its_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
