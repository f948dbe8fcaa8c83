#include "config.h"

#include "ledger/draft.h"
#include "proto/blob.h"
#include "tests/unit/memory_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char below_value[] = "below";
static const char own_value[] = "its own";
static const struct hash chain = {.b = {1}};

struct drafted {
    struct memory_state memory;
    struct ledger_env below;
    struct draft *draft;
    const struct ledger_env *env;
};

static void open_draft(struct drafted *d)
{
    *d = (struct drafted){.draft = NULL};
    d->below = memory_state_env(&d->memory, &chain);
    d->below.state.put(d->below.state.context, "key", 3, below_value,
                       sizeof(below_value));
    d->draft = draft_new(&d->below);
    d->env = draft_env(d->draft);
}

static void close_draft(struct drafted *d)
{
    draft_free(d->draft);
    memory_state_fini(&d->memory);
}

static bool is_under_key(const struct ledger_env *env, const char *text)
{
    struct buf value;
    buf_init(&value, 64);
    bool is_there = env->state.get(env->state.context, "key", 3, &value) &&
                    value.size == strlen(text) + 1 &&
                    memcmp(value.data, text, value.size) == 0;
    buf_fini(&value);
    return is_there;
}

static void what_is_below_stays_until_the_draft_is_committed(void **state)
{
    (void)state;
    struct drafted d;
    open_draft(&d);
    assert_true(is_under_key(d.env, below_value));
    d.env->state.put(d.env->state.context, "key", 3, own_value,
                     sizeof(own_value));
    assert_true(is_under_key(d.env, own_value));
    assert_true(is_under_key(&d.below, below_value));
    draft_commit(d.draft);
    assert_true(is_under_key(&d.below, own_value));
    close_draft(&d);
}

static void a_value_beyond_the_buffer_is_none_and_leaves_it_empty(void **state)
{
    (void)state;
    struct drafted d;
    struct buf value;
    struct hash hash;
    open_draft(&d);
    blob_hash(&hash, own_value, sizeof(own_value));
    d.env->blobs.put(d.env->blobs.context, &hash, own_value, sizeof(own_value));
    d.env->state.put(d.env->state.context, "key", 3, own_value,
                     sizeof(own_value));
    buf_init(&value, sizeof(own_value) - 1);
    assert_false(d.env->blobs.get(d.env->blobs.context, &hash, &value));
    assert_int_equal(value.size, 0);
    assert_false(d.env->state.get(d.env->state.context, "key", 3, &value));
    assert_int_equal(value.size, 0);
    buf_fini(&value);
    buf_init(&value, sizeof(own_value));
    assert_true(d.env->blobs.get(d.env->blobs.context, &hash, &value));
    assert_int_equal(value.size, sizeof(own_value));
    buf_fini(&value);
    close_draft(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_below_stays_until_the_draft_is_committed),
        cmocka_unit_test(a_value_beyond_the_buffer_is_none_and_leaves_it_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
