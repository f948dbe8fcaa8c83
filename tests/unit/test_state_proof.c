#include "config.h"

#include "proto/state_proof.h"

#include "base/alloc.h"
#include "storage/overlay.h"
#include "storage/store.h"
#include "tests/unit/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEYS 2000

static char *folder;
static struct store *store;

static int set_up(void **state)
{
    (void)state;
    folder = scratch_folder();
    store = fixture_open(folder);
    struct overlay *overlay = overlay_new(store);
    for (unsigned i = 0; i < KEYS; i++) {
        overlay_put(overlay, &i, sizeof(i), &i, sizeof(i));
    }
    int rc = fixture_commit(store, overlay, NULL) == POT_OK ? 0 : 1;
    overlay_free(overlay);
    return rc;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(store);
    scratch_remove(folder);
    return 0;
}

static void prove(struct state_proof *proof, struct hash *root, unsigned key)
{
    uint64_t height;
    assert_int_equal(
        store_state_proof(store, &key, sizeof(key), proof, root, &height),
        POT_OK);
    assert_int_equal(height, 0);
}

static bool holds(const struct hash *root, unsigned key, const unsigned *value,
                  const struct state_proof *proof)
{
    return state_proof_verify(root, &key, sizeof(key), value,
                              value != NULL ? sizeof(*value) : 0, proof);
}

static void every_key_is_proved_with_its_value_and_no_other(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KEYS; i += 37) {
        struct state_proof proof;
        struct hash root;
        unsigned wrong = i + 1;
        prove(&proof, &root, i);
        assert_true(holds(&root, i, &i, &proof));
        assert_false(holds(&root, i, &wrong, &proof));
        assert_false(holds(&root, i, NULL, &proof));
        assert_false(holds(&root, wrong, &wrong, &proof));
        state_proof_fini(&proof);
    }
}

static void a_missing_key_is_proved_missing(void **state)
{
    (void)state;
    for (unsigned i = KEYS; i < KEYS + 300; i++) {
        struct state_proof proof;
        struct hash root;
        prove(&proof, &root, i);
        assert_true(holds(&root, i, NULL, &proof));
        assert_false(holds(&root, i, &i, &proof));
        state_proof_fini(&proof);
    }
}

static void a_proof_with_any_byte_changed_proves_nothing(void **state)
{
    (void)state;
    struct state_proof proof;
    struct hash root;
    unsigned key = 5;
    prove(&proof, &root, key);
    for (size_t i = 0; i < STATE_LEVELS * HASH_SIZE; i++) {
        proof.siblings[i / HASH_SIZE].b[i % HASH_SIZE] ^= 1;
        assert_false(holds(&root, key, &key, &proof));
        proof.siblings[i / HASH_SIZE].b[i % HASH_SIZE] ^= 1;
    }
    for (size_t i = 0; i < proof.bucket.size; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            proof.bucket.data[i] ^= (uint8_t)(1 << bit);
            assert_false(holds(&root, key, &key, &proof));
            assert_false(holds(&root, key, NULL, &proof));
            proof.bucket.data[i] ^= (uint8_t)(1 << bit);
        }
    }
    for (size_t cut = 0; cut < proof.bucket.size; cut++) {
        struct state_proof shorter = proof;
        shorter.bucket.size = cut;
        assert_false(holds(&root, key, &key, &shorter));
        assert_false(holds(&root, key, NULL, &shorter));
    }
    assert_true(holds(&root, key, &key, &proof));
    state_proof_fini(&proof);
}

static void a_bucket_out_of_order_is_no_bucket(void **state)
{
    (void)state;
    static const char twice[] = "\001kaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                "\001kbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    struct state_proof proof;
    struct hash root = {{0}};
    state_proof_init(&proof);
    buf_append(&proof.bucket, twice, sizeof(twice) - 1);
    assert_false(state_proof_verify(&root, "k", 1, "v", 1, &proof));
    state_proof_fini(&proof);
    assert_true(state_proof_verify(&root, "k", 1, NULL, 0, &proof));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_proved_with_its_value_and_no_other),
        cmocka_unit_test(a_missing_key_is_proved_missing),
        cmocka_unit_test(a_proof_with_any_byte_changed_proves_nothing),
        cmocka_unit_test(a_bucket_out_of_order_is_no_bucket),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
