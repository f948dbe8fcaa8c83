/* The first key in which two states differ: found in two real stores along
 * their trees, and by looking at all keys that were changed. */
#include "config.h"

#include "ctl/state_compare.h"

#include "ctl/state_source.h"
#include "ctl/state_text.h"
#include "ledger/keys.h"
#include "proto/codec.h"
#include "proto/state.pb-c.h"
#include "tests/unit/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEYS    3000
#define SEEDS   12
#define CHANGES 4

static struct ctl ctl;

static struct store *fill(const char *folder)
{
    struct store *store = fixture_open(folder);
    struct overlay *overlay = overlay_new(store);
    for (uint64_t i = 0; i < KEYS; i++) {
        overlay_put(overlay, &i, sizeof(i), "same", 4);
    }
    assert_int_equal(fixture_commit(store, overlay, NULL), POT_OK);
    overlay_free(overlay);
    return store;
}

/* The order of the tree. */
static bool is_before(uint64_t a, uint64_t b)
{
    uint16_t x = state_bucket(&a, sizeof(a));
    uint16_t y = state_bucket(&b, sizeof(b));
    return x != y ? x < y : state_key_compare(&a, sizeof(a), &b, sizeof(b)) < 0;
}

/* Changes, adds or drops some keys; the first of them. */
static uint64_t change(struct store *store, uint64_t *rng)
{
    struct overlay *overlay = overlay_new(store);
    uint64_t first = UINT64_MAX;
    for (uint64_t left = 1 + rng_next(rng) % CHANGES; left > 0; left--) {
        uint64_t key = rng_next(rng) % (2 * KEYS);
        if (key >= KEYS || rng_next(rng) % 2 == 0) {
            overlay_put(overlay, &key, sizeof(key), "other", 5);
        } else {
            overlay_del(overlay, &key, sizeof(key));
        }
        first = first == UINT64_MAX || is_before(key, first) ? key : first;
    }
    assert_int_equal(fixture_commit(store, overlay, NULL), POT_OK);
    overlay_free(overlay);
    return first;
}

static enum exit_code compare(struct state_difference *difference,
                              char *const folders[2])
{
    struct state_source sources[2];
    struct state_side sides[2];
    ctl.error[0] = '\0';
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(state_source_open(&sources[i], &ctl, folders[i]),
                         EXIT_CODE_DONE);
        sides[i] = state_source_side(&sources[i]);
    }
    enum exit_code rc = state_compare(difference, &ctl, sides);
    state_source_close(&sources[0]);
    state_source_close(&sources[1]);
    return rc;
}

static void compare_changed(uint64_t seed)
{
    char *folders[2] = {scratch_folder(), scratch_folder()};
    struct state_difference difference;
    struct store *a = fill(folders[0]);
    struct store *b = fill(folders[1]);
    uint64_t expected = change(b, &seed);
    assert_int_equal(fixture_commit_empty(a), POT_OK);
    store_close(a);
    store_close(b);
    assert_int_equal(compare(&difference, folders), EXIT_CODE_DONE);
    assert_false(difference.is_same);
    assert_int_equal(difference.key_size, sizeof(expected));
    assert_memory_equal(difference.key, &expected, sizeof(expected));
    const struct state_shown *shown = difference.sides;
    assert_int_equal(shown[0].has_value, expected < KEYS);
    assert_true(shown[1].has_value || expected < KEYS);
    assert_true(!shown[1].has_value || shown[1].value.size == 5);
    state_difference_fini(&difference);
    scratch_remove(folders[0]);
    scratch_remove(folders[1]);
}

static void the_first_key_that_differs_is_found(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        compare_changed(seed);
    }
}

static void the_same_state_is_the_same_and_another_height_is_told(void **state)
{
    char *folders[2] = {scratch_folder(), scratch_folder()};
    struct state_difference difference;
    (void)state;
    store_close(fill(folders[0]));
    struct store *b = fill(folders[1]);
    store_close(b);
    assert_int_equal(compare(&difference, folders), EXIT_CODE_DONE);
    assert_true(difference.is_same);
    state_difference_fini(&difference);
    b = fixture_open(folders[1]);
    assert_int_equal(fixture_commit_empty(b), POT_OK);
    store_close(b);
    assert_int_equal(compare(&difference, folders), EXIT_CODE_FAILED);
    assert_non_null(strstr(ctl.error, "rollback --to 0"));
    state_difference_fini(&difference);
    scratch_remove(folders[0]);
    scratch_remove(folders[1]);
}

static void keys_and_records_are_told(void **state)
{
    char text[STATE_KEY_TEXT_SIZE];
    size_t size;
    (void)state;
    struct state_key key = keys_unbonding(1200);
    assert_string_equal(state_key_text(text, key.b, key.size),
                        "unbonding/1200");
    assert_string_equal(state_key_text(text, (const uint8_t *)"x/", 2), "782f");
    struct public_key account = {{1}};
    Pot__UnbondingRecord part = POT__UNBONDING_RECORD__INIT;
    Pot__UnbondingRecord *parts[] = {&part};
    Pot__AccountRecord record = POT__ACCOUNT_RECORD__INIT;
    char moniker[] = "anna";
    part.amount = 7;
    record.balance = 12;
    record.is_jailed = true;
    record.moniker = moniker;
    record.unbonding = parts;
    record.n_unbonding = 1;
    uint8_t *data = codec_encode(&size, &record);
    key = keys_account(&account);
    assert_memory_equal(state_key_text(text, key.b, key.size), "account/pot1",
                        12);
    json_t *json = state_value_json(key.b, key.size, data, size);
    free(data);
    assert_int_equal(json_integer_value(json_object_get(json, "balance")), 12);
    assert_true(json_is_true(json_object_get(json, "is_jailed")));
    assert_string_equal(json_string_value(json_object_get(json, "moniker")),
                        "anna");
    json_t *first = json_array_get(json_object_get(json, "unbonding"), 0);
    assert_int_equal(json_integer_value(json_object_get(first, "amount")), 7);
    json_decref(json);
    /* What is no record is shown as it is. */
    json = state_value_json(key.b, key.size, (const uint8_t *)"\xff", 1);
    assert_string_equal(json_string_value(json), "ff");
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_key_that_differs_is_found),
        cmocka_unit_test(the_same_state_is_the_same_and_another_height_is_told),
        cmocka_unit_test(keys_and_records_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
