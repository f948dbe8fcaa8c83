/* Errands over a real chain, where nothing that is missing can be fetched. */
#include "config.h"

#include "base/alloc.h"
#include "node/block/delivery.h"
#include "node/block/errands.h"
#include "node/block/needs.h"
#include "proto/codec.h"
#include "tests/unit/chain_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct {
    struct chain_fixture chain;
    struct needs *needs;
    struct delivery delivery;
    struct errands *errands;
    unsigned answers;
    unsigned decided;
    bool is_valid;
    unsigned faults;
    enum pot_err fault;
} f;

static struct proposal_request *make_request(void *context)
{
    (void)context;
    struct proposal_request *r = pot_calloc(1, sizeof(*r));
    r->bytes_max = 1 << 20;
    return r;
}

static void on_refused(void *context, const struct proposal_refused *refused,
                       size_t count)
{
    (void)context;
    (void)refused;
    assert_int_equal(count, 0);
}

static void on_decided(void *asker, const Pot__CommitCertificate *certificate)
{
    (void)asker;
    assert_non_null(certificate);
    f.decided++;
}

static void on_answer(void *asker, const struct pbft_event *event)
{
    (void)asker;
    f.answers++;
    if (event->type == PBFT_CHECKED) {
        f.is_valid = event->u.checked.is_valid;
    } else {
        f.is_valid = event->u.proposal.block != NULL;
    }
}

static void on_failed(void *context, enum pot_err err, const char *what)
{
    (void)context;
    (void)what;
    f.faults++;
    f.fault = err;
}

static int open_errands(void **state)
{
    (void)state;
    memset(&f, 0, sizeof(f));
    chain_fixture_open(&f.chain);
    const struct needs_config needs = {
        .loop = &f.chain.loop,
        .holdings = &f.chain.holdings,
    };
    f.needs = needs_new(&needs);
    needs_stop(f.needs); /* whatever is asked for is not to be had, at once */
    f.delivery = (struct delivery){f.chain.chain, f.needs};
    const struct errands_config config = {
        .loop = &f.chain.loop,
        .delivery = &f.delivery,
        .proposer = *key_public(f.chain.validator),
        .answer = on_answer,
        .decided = on_decided,
        .make_request = make_request,
        .refused = on_refused,
        .failed = on_failed,
    };
    f.errands = errands_new(&config);
    (void)alarm(60);
    return 0;
}

static int close_errands(void **state)
{
    (void)state;
    errands_stop(f.errands);
    (void)uv_run(&f.chain.loop, UV_RUN_DEFAULT);
    errands_free(f.errands);
    needs_free(f.needs);
    chain_fixture_close(&f.chain);
    return 0;
}

static struct pbft_effect effect_of(const struct shared_block *block)
{
    return (struct pbft_effect){
        .height = block->block->header->height,
        .digest = block->block->hash,
        .bytes = pot_memdup(block->data, block->size),
        .size = block->size,
    };
}

static void check(const struct shared_block *block)
{
    struct pbft_effect effect = effect_of(block);
    errands_check(f.errands, &effect);
    (void)uv_run(&f.chain.loop, UV_RUN_DEFAULT);
    free(effect.bytes);
}

/* Without a wait for what comes later. */
static void commit(struct shared_block *block)
{
    struct certified *certified = chain_fixture_certify(&f.chain, block);
    struct pbft_effect effect = effect_of(block);
    effect.certificate =
        pot_memdup(certified->certificate_data, certified->certificate_size);
    effect.certificate_size = certified->certificate_size;
    unsigned decided = f.decided;
    errands_commit(f.errands, &effect);
    assert_int_equal(f.decided, decided + 1);
    free(effect.bytes);
    certified_free(certified);
}

static void a_good_block_is_proposed_checked_and_carried_out(void **state)
{
    (void)state;
    const struct pbft_effect propose = {.height = 1};
    errands_propose(f.errands, &propose);
    (void)uv_run(&f.chain.loop, UV_RUN_DEFAULT);
    assert_int_equal(f.answers, 1);
    assert_true(f.is_valid);
    struct shared_block *block = chain_fixture_propose(&f.chain, NULL);
    f.is_valid = false;
    check(block);
    assert_true(f.is_valid);
    commit(block);
    (void)uv_run(&f.chain.loop, UV_RUN_DEFAULT);
    assert_int_equal(chain_tip(f.chain.chain)->height, 1);
    assert_int_equal(f.faults, 0);
}

static void a_block_that_lacks_something_is_not_called_invalid(void **state)
{
    struct errands_stats stats;
    (void)state;
    struct shared_block *block = chain_fixture_lacking(&f.chain);
    check(block);
    errands_stats(f.errands, &stats);
    assert_int_equal(f.answers, 1);
    assert_false(f.is_valid);
    assert_int_equal(stats.unjudged, 1);
    assert_int_equal(stats.invalid, 0);
    assert_int_equal(f.faults, 0);
    shared_block_unref(block);
}

static void what_is_no_block_is_invalid(void **state)
{
    struct errands_stats stats;
    (void)state;
    struct pbft_effect effect = {
        .height = 1, .bytes = pot_calloc(1, 5), .size = 5};
    errands_check(f.errands, &effect);
    errands_stats(f.errands, &stats);
    assert_int_equal(stats.invalid, 1);
    assert_false(f.is_valid);
}

/* The loop goes on between two tries: nothing is tried again and again in one
 * turn of it, even if everything answers at once. */
static void a_decided_block_is_tried_again_later(void **state)
{
    (void)state;
    struct shared_block *lacking = chain_fixture_lacking(&f.chain);
    struct shared_block *good = chain_fixture_propose(&f.chain, NULL);
    commit(lacking);
    commit(lacking);
    assert_true(uv_run(&f.chain.loop, UV_RUN_ONCE) != 0); /* tried again */
    assert_true(uv_loop_alive(&f.chain.loop) != 0);       /* and waits again */
    assert_int_equal(f.faults, 0);
    commit(good); /* another way brought the block of that height */
    (void)uv_run(&f.chain.loop, UV_RUN_DEFAULT);
    assert_int_equal(chain_tip(f.chain.chain)->height, 1);
    assert_int_equal(f.faults, 0);
    shared_block_unref(lacking);
}

#define CASE(t) cmocka_unit_test_setup_teardown(t, open_errands, close_errands)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_good_block_is_proposed_checked_and_carried_out),
        CASE(a_block_that_lacks_something_is_not_called_invalid),
        CASE(what_is_no_block_is_invalid),
        CASE(a_decided_block_is_tried_again_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
