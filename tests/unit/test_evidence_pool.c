/* Evidence over a real chain: what is kept, told to blocks, and owed by those
 * that leave it out. */
#include "config.h"

#include "node/tx/evidence_pool.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "node/block/owed.h"
#include "proto/codec.h"
#include "tests/unit/chain_fixture.h"
#include "tests/unit/evidence_fixture.h"
#include "tests/unit/lone_net.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TIMEOUT 800

static struct {
    struct chain_fixture chain;
    struct lone_net net;
    char *path;
    struct evidence_pool *pool;
    unsigned work;
    unsigned breaches;
    uint64_t breaker; /* the last of them */
    struct owed_rule rule;
} f;

static void on_work(void *context)
{
    (void)context;
    f.work++;
}

static void on_breach(void *context, uint64_t peer_id)
{
    (void)context;
    f.breaches++;
    f.breaker = peer_id;
}

static void open_pool(void)
{
    const struct evidence_pool_config config = {
        .loop = &f.chain.loop,
        .holdings = &f.chain.holdings,
        .chain = f.chain.chain,
        .gossip = f.net.gossip,
        .net = f.net.net,
        .key = f.chain.client,
        .path = f.path,
        .on_work = on_work,
        .on_breach = on_breach,
    };
    f.pool = evidence_pool_new(&config);
}

static void close_pool(void)
{
    evidence_pool_stop(f.pool);
    (void)uv_run(&f.chain.loop, UV_RUN_DEFAULT);
    evidence_pool_free(f.pool);
}

static int set_up(void **state)
{
    (void)state;
    memset(&f, 0, sizeof(f));
    chain_fixture_open(&f.chain);
    lone_net_open(&f.net, &f.chain.holdings.chain, f.chain.client);
    f.path = file_join(f.chain.folder, "evidence");
    f.rule = (struct owed_rule){false, 0, 5000, TIMEOUT, 1};
    open_pool();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    close_pool();
    lone_net_close(&f.net);
    (void)unlink(f.path);
    free(f.path);
    chain_fixture_close(&f.chain);
    return 0;
}

static void settle(void)
{
    (void)uv_run(&f.chain.loop, UV_RUN_DEFAULT);
}

static struct evidence_pool_stats stats(void)
{
    struct evidence_pool_stats out;
    evidence_pool_stats(f.pool, &out);
    return out;
}

/* That the validator said two things at a height; salt makes it another. */
static Pot__EvidenceBody *contradiction(uint64_t height, uint8_t salt)
{
    const struct evidence_signer signer = {f.chain.validator,
                                           &f.chain.holdings.chain, height};
    const Pot__Phase commit = POT__PHASE__PHASE_COMMIT;
    return evidence_body(
        &signer, evidence_vote(&signer, commit, 0, salt),
        evidence_vote(&signer, commit, 0, (uint8_t)(salt + 1)));
}

/* Takes body. */
static void find(Pot__EvidenceBody *body)
{
    size_t size;
    uint8_t *data = codec_encode(&size, body);
    evidence_pool_found(f.pool, data, size);
    free(data);
    codec_free(body);
}

/* Takes proof. */
static void receive(Pot__Signed *proof, uint64_t peer_id)
{
    size_t size;
    uint8_t *data = codec_encode(&size, proof);
    evidence_pool_receive(f.pool, data, size, peer_id);
    free(data);
    codec_free(proof);
}

static Pot__Signed *told(uint8_t salt)
{
    return evidence_proof(&f.chain.holdings.chain, f.chain.client,
                          contradiction(1, salt));
}

/* The next block, without evidence or with all that the pool has; the pool is
 * told of it after a while.  What is overdue then, or NULL. */
static const struct hash *live_block(bool is_taken, uint64_t after_ms)
{
    const struct hash *overdue;
    struct shared_block *block;
    if (is_taken) {
        struct proposal_request *r = pot_calloc(1, sizeof(*r));
        evidence_pool_collect(f.pool, r);
        block = chain_fixture_propose_of(&f.chain, r);
    } else {
        block = chain_fixture_propose(&f.chain, NULL);
    }
    assert_int_equal(block->block->body->n_evidence, is_taken);
    assert_int_equal(chain_fixture_apply(&f.chain, block), POT_OK);
    f.rule.now_ms += after_ms;
    (void)evidence_pool_applied(f.pool, block->block->body, &f.rule, &overdue);
    settle();
    return overdue;
}

/* ---- what is held */

static void what_proves_is_held_and_is_work(void **state)
{
    (void)state;
    find(contradiction(1, 1));
    assert_int_equal(evidence_pool_count(f.pool), 0); /* not checked yet */
    settle();
    assert_int_equal(evidence_pool_count(f.pool), 1);
    assert_int_equal(f.work, 1);
    assert_int_equal(stats().found, 1);
    assert_true(codec_bytes_equal(evidence_pool_at(f.pool, 0)->public_key,
                                  key_public(f.chain.client)->b,
                                  PUBLIC_KEY_SIZE));
}

static void one_is_enough_for_each_accused(void **state)
{
    (void)state;
    receive(told(1), 5);
    receive(told(3), 6); /* while the first one is being checked */
    settle();
    receive(told(5), 7);
    settle();
    assert_int_equal(evidence_pool_count(f.pool), 1);
    assert_int_equal(f.work, 1);
    assert_int_equal(stats().received, 3);
    assert_int_equal(stats().refused, 2);
}

static void what_proves_nothing_is_refused(void **state)
{
    (void)state;
    evidence_pool_receive(f.pool, "junk", 4, 5);
    Pot__Signed *forged = told(1);
    forged->signature.data[0] ^= 1;
    receive(forged, 5);
    /* Of somebody who is no validator. */
    receive(
        evidence_of(&f.chain.holdings.chain, f.chain.client, 1, f.chain.client),
        5);
    /* The same vote twice. */
    Pot__EvidenceBody *same = contradiction(1, 1);
    codec_free(same->second);
    same->second = evidence_vote(
        &(struct evidence_signer){f.chain.validator, &f.chain.holdings.chain,
                                  1},
        same->first->phase, same->first->view, same->first->digest.data[0]);
    receive(evidence_proof(&f.chain.holdings.chain, f.chain.client, same), 5);
    settle();
    assert_int_equal(evidence_pool_count(f.pool), 0);
    assert_int_equal(stats().refused, 4);
    assert_int_equal(f.work, 0);
}

static void one_peer_does_not_fill_the_queue(void **state)
{
    (void)state;
    for (uint8_t i = 0; i < 100; i++) {
        Pot__Signed *forged = told(i);
        forged->signature.data[0] ^= 1;
        receive(forged, 5);
    }
    assert_int_equal(stats().dropped, 92);
    receive(told(1), 6);
    assert_int_equal(stats().dropped, 92);
    settle();
    assert_int_equal(evidence_pool_count(f.pool), 1);
    for (uint64_t peer = 1; peer < 100; peer++) {
        receive(evidence_of(&f.chain.holdings.chain, f.chain.client, 1,
                            f.chain.client),
                peer);
    }
    assert_int_equal(stats().dropped, 92 + 99 - 64);
}

/* What this replica found nobody else may know. */
static void strangers_do_not_keep_out_what_was_found(void **state)
{
    (void)state;
    for (uint8_t i = 0; i < 200; i++) {
        Pot__Signed *forged = told(i);
        forged->signature.data[0] ^= 1;
        receive(forged, 1 + i / 8);
    }
    assert_int_equal(stats().dropped, 200 - 64);
    find(contradiction(1, 1));
    assert_int_equal(stats().dropped, 200 - 64);
    while (evidence_pool_count(f.pool) == 0) {
        assert_true(f.breaches < 3); /* it is looked at before theirs */
        assert_int_not_equal(uv_run(&f.chain.loop, UV_RUN_ONCE), 0);
    }
    settle();
}

/* Whoever passes evidence on has looked at it before. */
static void who_sends_what_proves_nothing_is_at_fault(void **state)
{
    (void)state;
    Pot__Signed *forged = told(1);
    forged->signature.data[0] ^= 1;
    receive(forged, 5);
    settle();
    assert_int_equal(f.breaches, 1);
    assert_int_equal(f.breaker, 5);
    evidence_pool_receive(f.pool, "junk", 4, 6);
    settle();
    assert_int_equal(f.breaches, 2);
    assert_int_equal(f.breaker, 6);
    /* By the accused itself. */
    receive(evidence_of(&f.chain.holdings.chain, f.chain.validator, 1,
                        f.chain.validator),
            7);
    settle();
    assert_int_equal(f.breaches, 3);
    assert_int_equal(f.breaker, 7);
}

/* Another tip, or a second proof: nobody's fault. */
static void what_cannot_be_told_by_everyone_is_no_fault(void **state)
{
    (void)state;
    receive(evidence_of(&f.chain.holdings.chain, f.chain.client, 1,
                        f.chain.validator),
            5); /* of no validator */
    receive(evidence_proof(&f.chain.holdings.chain, f.chain.client,
                           contradiction(9, 1)),
            5); /* of a height to come */
    receive(told(1), 5);
    receive(told(3), 5);
    settle();
    assert_int_equal(evidence_pool_count(f.pool), 1);
    assert_int_equal(f.breaches, 0);
}

/* A byte of what the state says of the signers, wherever it stands. */
static void damage_signers(void)
{
    static const char key[] = "signers/";
    char *data;
    size_t size;
    size_t count = 0;
    char *path = file_join(f.chain.folder, "store/data.mdb");
    assert_int_equal(file_read(&data, &size, path, (size_t)64 << 20), POT_OK);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    for (size_t at = 0; at + 64 < size; at++) {
        size_t value = at + strlen(key) + sizeof(uint64_t);
        if (memcmp(data + at, key, strlen(key)) == 0) {
            const char other = (char)~data[value];
            assert_int_equal(pwrite(fd, &other, 1, (off_t)value), 1);
            count++;
        }
    }
    assert_true(count > 0);
    (void)close(fd);
    free(data);
    free(path);
}

/* Nobody is found to be no validator in a state that cannot be read. */
static void a_damaged_state_refuses_nothing(void **state)
{
    const struct hash *overdue;
    (void)state;
    find(contradiction(1, 1));
    settle();
    damage_signers();
    assert_true(evidence_pool_applied(f.pool, NULL, NULL, &overdue));
    assert_int_equal(evidence_pool_count(f.pool), 1);
}

static void it_is_there_after_a_restart(void **state)
{
    (void)state;
    find(contradiction(1, 1));
    settle();
    close_pool();
    open_pool();
    assert_int_equal(evidence_pool_count(f.pool), 0);
    evidence_pool_start(f.pool);
    settle();
    assert_int_equal(evidence_pool_count(f.pool), 1);
    (void)live_block(true, 1);
    close_pool();
    open_pool();
    evidence_pool_start(f.pool);
    settle();
    assert_int_equal(evidence_pool_count(f.pool), 0);
}

/* ---- blocks */

static void what_a_block_took_is_gone(void **state)
{
    (void)state;
    find(contradiction(1, 1));
    settle();
    assert_null(live_block(false, 1));
    assert_int_equal(evidence_pool_count(f.pool), 1);
    assert_null(live_block(true, 1));
    assert_int_equal(evidence_pool_count(f.pool), 0);
    receive(told(9), 5); /* it was punished for all until then */
    settle();
    assert_int_equal(evidence_pool_count(f.pool), 0);
}

static void what_is_too_old_for_any_block_is_dropped(void **state)
{
    (void)state;
    find(contradiction(1, 1));
    settle();
    f.rule.timeout_ms = 1000000;
    unsigned blocks = 0;
    while (evidence_pool_count(f.pool) > 0 && blocks < 100) {
        assert_null(live_block(false, 1));
        blocks++;
    }
    assert_in_range(blocks, f.chain.genesis.params->evidence_blocks_max - 1,
                    f.chain.genesis.params->evidence_blocks_max + 1);
}

/* ---- primaries that leave it out */

static unsigned blocks_until_overdue(unsigned max, uint64_t after_ms)
{
    unsigned blocks = 0;
    while (blocks < max && live_block(false, after_ms) == NULL) {
        blocks++;
    }
    return blocks;
}

static void evidence_left_out_is_overdue(void **state)
{
    (void)state;
    find(contradiction(1, 1));
    settle();
    /* The block after it came may have been on its way. */
    assert_int_equal(blocks_until_overdue(20, TIMEOUT / 2), OWED_BLOCKS);
    f.rule.view = 1; /* the next one has as long */
    assert_int_equal(blocks_until_overdue(20, TIMEOUT / 2), OWED_BLOCKS - 1);
}

static void quick_blocks_within_a_time_out_owe_nothing(void **state)
{
    (void)state;
    find(contradiction(1, 1));
    settle();
    assert_int_equal(blocks_until_overdue(20, 1), 20);
}

static void a_primary_that_is_not_judged_is_not_suspected(void **state)
{
    (void)state;
    find(contradiction(1, 1));
    settle();
    for (unsigned i = 0; i < 20; i++) {
        const struct hash *overdue;
        struct shared_block *block = chain_fixture_propose(&f.chain, NULL);
        assert_int_equal(chain_fixture_apply(&f.chain, block), POT_OK);
        assert_true(
            evidence_pool_applied(f.pool, block->block->body, NULL, &overdue));
        assert_null(overdue);
    }
}

#define CASE(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_proves_is_held_and_is_work),
        CASE(one_is_enough_for_each_accused),
        CASE(what_proves_nothing_is_refused),
        CASE(one_peer_does_not_fill_the_queue),
        CASE(strangers_do_not_keep_out_what_was_found),
        CASE(who_sends_what_proves_nothing_is_at_fault),
        CASE(what_cannot_be_told_by_everyone_is_no_fault),
        CASE(a_damaged_state_refuses_nothing),
        CASE(it_is_there_after_a_restart),
        CASE(what_a_block_took_is_gone),
        CASE(what_is_too_old_for_any_block_is_dropped),
        CASE(evidence_left_out_is_overdue),
        CASE(quick_blocks_within_a_time_out_owe_nothing),
        CASE(a_primary_that_is_not_judged_is_not_suspected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
