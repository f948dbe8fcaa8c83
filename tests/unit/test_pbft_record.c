/* Restarts: what the record makes a replica remember, and that the same
 * events bring about the same effects. */
#include "config.h"

#include "tests/unit/pbft_case.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static Pot__Vote *sent_vote(Pot__ConsensusMessage **message,
                            Pot__ConsensusMessage__KindCase kind)
{
    *message = bench_sent(&bench, kind);
    assert_non_null(*message);
    return kind == SENT(PREPARE) ? (*message)->prepare : (*message)->commit;
}

static void a_restart_sends_the_same_signature_again(void **state)
{
    (void)state;
    Pot__ConsensusMessage *before;
    Pot__ConsensusMessage *after;
    backup_prepares();
    Pot__Vote *first = sent_vote(&before, SENT(PREPARE));
    bench_restart(&bench);
    Pot__Vote *second = sent_vote(&after, SENT(PREPARE));
    assert_memory_equal(first->signature.data, second->signature.data,
                        SIGNATURE_SIZE);
    codec_free(before);
    codec_free(after);
}

static void a_restart_does_not_vote_for_another_block(void **state)
{
    (void)state;
    struct bench_block other = bench_block(&bench, 0, 2);
    backup_prepares();
    bench_restart(&bench);
    assert_true(bench_pre_prepare(&bench, 0, &other));
    assert_null(bench_find(&bench, PBFT_CHECK));
    bench_checked(&bench, &other, true);
    assert_null(bench_find(&bench, PBFT_PERSIST));
    bench_block_fini(&other);
}

static void a_primary_does_not_propose_another_block(void **state)
{
    (void)state;
    primary_proposes();
    bench_restart(&bench);
    assert_null(bench_find(&bench, PBFT_PROPOSE));
    assert_true(bench_has_sent(&bench, SENT(PRE_PREPARE)));
    bench_work(&bench);
    assert_null(bench_find(&bench, PBFT_PROPOSE));
    assert_true(bench_vote(&bench, prepare, 1, 1, 0, &block.digest));
    assert_true(bench_vote(&bench, prepare, 2, 1, 0, &block.digest));
    bench_persist(&bench);
    assert_true(bench_has_sent(&bench, SENT(COMMIT)));
}

static void a_restart_goes_on_where_the_record_ends(void **state)
{
    (void)state;
    backup_prepares();
    bench_restart(&bench);
    assert_true(bench_vote(&bench, prepare, 2, 1, 0, &block.digest));
    bench_persist(&bench);
    assert_true(bench_has_sent(&bench, SENT(COMMIT)));
}

static void a_prepared_block_survives_and_can_be_proposed_again(void **state)
{
    (void)state;
    backup_commits();
    bench_restart(&bench);
    assert_true(bench_has_sent(&bench, SENT(COMMIT)));
    bench_timer(&bench, PBFT_TIMER_VIEW);
    bench_persist(&bench);
    Pot__ConsensusMessage *sent = bench_sent(&bench, SENT(VIEW_CHANGE));
    assert_non_null(sent);
    assert_non_null(sent->view_change->prepared);
    codec_free(sent);
    size_t size;
    uint8_t *bytes = pbft_message_encode_block_request(&size, 1, &block.digest);
    assert_true(bench_message(&bench, 1, bytes, size));
    assert_true(bench_has_sent(&bench, SENT(BLOCK_REPLY)));
    free(bytes);
}

static void a_restart_decides_with_its_own_commit(void **state)
{
    (void)state;
    backup_commits();
    bench_restart(&bench);
    assert_true(bench_vote(&bench, commit, 0, 1, 0, &block.digest));
    assert_true(bench_vote(&bench, commit, 1, 1, 0, &block.digest));
    assert_non_null(bench_find(&bench, PBFT_COMMIT));
}

static void a_view_that_was_left_stays_left(void **state)
{
    (void)state;
    bench_timer(&bench, PBFT_TIMER_VIEW);
    bench_persist(&bench);
    Pot__ConsensusMessage *before = bench_sent(&bench, SENT(VIEW_CHANGE));
    bench_restart(&bench);
    Pot__ConsensusMessage *after = bench_sent(&bench, SENT(VIEW_CHANGE));
    if (after == NULL) { /* said again with the next resend */
        bench_timer(&bench, PBFT_TIMER_RESEND);
        after = bench_sent(&bench, SENT(VIEW_CHANGE));
    }
    assert_non_null(after);
    assert_memory_equal(before->view_change->signature.data,
                        after->view_change->signature.data, SIGNATURE_SIZE);
    assert_true(bench_pre_prepare(&bench, 0, &block));
    assert_null(bench_find(&bench, PBFT_CHECK));
    codec_free(before);
    codec_free(after);
}

static void a_record_of_a_past_height_is_ignored(void **state)
{
    (void)state;
    backup_commits();
    bench.height = 1;
    bench.tip = block.digest;
    bench_restart(&bench);
    assert_int_equal(pbft_status(bench.pbft).height, 2);
    assert_null(bench_find(&bench, PBFT_BROADCAST));
}

/* The chain was lost and the record was not: what was signed is unknown. */
static void a_record_of_a_later_height_forbids_to_vote(void **state)
{
    (void)state;
    struct hash first = {{6}};
    bench_committed(&bench, 1, 0, &first);
    bench_block_fini(&block);
    block = bench_block(&bench, 0, 1);
    backup_prepares();
    struct bench_block second = block;
    bench.height = 0;
    bench.tip = (struct hash){{2}};
    block = bench_block(&bench, 0, 1);
    bench_restart(&bench);
    assert_null(bench_find_timer(&bench, PBFT_TIMER_VIEW));
    assert_true(bench_pre_prepare(&bench, 0, &block));
    assert_null(bench_find(&bench, PBFT_CHECK));
    /* Synced up to there, it knows its vote again. */
    bench_committed(&bench, 1, 0, &first);
    assert_true(bench_has_sent(&bench, SENT(PREPARE)));
    bench_block_fini(&second);
}

static void another_keys_record_is_refused(void **state)
{
    (void)state;
    enum pot_err err;
    backup_commits();
    bench.self = 2;
    struct pbft_config config = bench_config(&bench);
    assert_null(pbft_new(&config, bench.record, bench.record_size, &err));
    assert_int_equal(err, POT_EGUARD);
    config.chain.b[0] ^= 1;
    bench.self = 3;
    assert_null(pbft_new(&config, bench.record, bench.record_size, &err));
    assert_int_equal(err, POT_EGUARD);
    bench.self = 3;
}

static void a_damaged_record_is_refused(void **state)
{
    (void)state;
    backup_commits();
    struct pbft_config config = bench_config(&bench);
    for (size_t size = 1; size < bench.record_size; size++) {
        enum pot_err err;
        struct pbft *pbft = pbft_new(&config, bench.record, size, &err);
        /* A cut between two fields may leave a record that makes sense. */
        assert_true((pbft == NULL) == (err != POT_OK));
        pbft_free(pbft);
    }
    for (size_t at = 0; at < bench.record_size; at++) {
        enum pot_err err;
        bench.record[at] ^= 0x10;
        pbft_free(pbft_new(&config, bench.record, bench.record_size, &err));
        bench.record[at] ^= 0x10;
    }
}

static void one_replica_alone_restarts_at_every_point(void **state)
{
    (void)state;
    bench_work(&bench);
    bench_proposal(&bench, &block, 0);
    bench_checked(&bench, &block, true);
    bench_restart(&bench); /* the pre-prepare is on disk */
    bench_persist(&bench); /* and the commit, asked for at the start */
    bench_restart(&bench);
    assert_non_null(bench_find(&bench, PBFT_COMMIT));
}

/* ---- replay */

struct log {
    uint8_t bytes[1 << 16];
    size_t size;
};

static void log_effects(struct log *log)
{
    for (size_t i = 0; i < bench.effects.count; i++) {
        const struct pbft_effect *e = &bench.effects.items[i];
        uint64_t numbers[] = {(uint64_t)e->type, e->height,  e->view,
                              e->sequence,       e->replica, e->delay_ms,
                              e->generation,     e->size};
        assert_true(log->size + sizeof(numbers) + e->size +
                        e->certificate_size <
                    sizeof(log->bytes));
        memcpy(log->bytes + log->size, numbers, sizeof(numbers));
        log->size += sizeof(numbers);
        if (e->size > 0) {
            memcpy(log->bytes + log->size, e->bytes, e->size);
            log->size += e->size;
        }
        if (e->certificate_size > 0) {
            memcpy(log->bytes + log->size, e->certificate, e->certificate_size);
            log->size += e->certificate_size;
        }
    }
}

static void run_story(struct log *log)
{
    log->size = 0;
    backup_commits();
    log_effects(log);
    bench_timer(&bench, PBFT_TIMER_VIEW);
    log_effects(log);
    bench_persist(&bench);
    log_effects(log);
    for (uint32_t i = 0; i < 3; i++) {
        (void)bench_send_view_change(&bench, i, 1, NULL);
        log_effects(log);
    }
    bench_timer(&bench, PBFT_TIMER_RESEND);
    log_effects(log);
    for (uint32_t i = 0; i < 3; i++) {
        (void)bench_vote(&bench, commit, i, 1, 0, &block.digest);
        log_effects(log);
    }
    bench_committed(&bench, 1, 0, &block.digest);
    log_effects(log);
}

static void the_same_events_give_the_same_effects(void **state)
{
    struct log *first = pot_alloc(sizeof(*first));
    struct log *second = pot_alloc(sizeof(*second));
    run_story(first);
    (void)close_bench(state);
    (void)open_backup(state);
    run_story(second);
    assert_true(first->size > 1000);
    assert_int_equal(first->size, second->size);
    assert_memory_equal(first->bytes, second->bytes, first->size);
    free(first);
    free(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_restart_sends_the_same_signature_again, open_backup),
        CASE(a_restart_does_not_vote_for_another_block, open_backup),
        CASE(a_primary_does_not_propose_another_block, open_primary),
        CASE(a_restart_goes_on_where_the_record_ends, open_backup),
        CASE(a_prepared_block_survives_and_can_be_proposed_again, open_backup),
        CASE(a_restart_decides_with_its_own_commit, open_backup),
        CASE(a_view_that_was_left_stays_left, open_backup),
        CASE(a_record_of_a_past_height_is_ignored, open_backup),
        CASE(a_record_of_a_later_height_forbids_to_vote, open_backup),
        CASE(another_keys_record_is_refused, open_backup),
        CASE(a_damaged_record_is_refused, open_backup),
        CASE(one_replica_alone_restarts_at_every_point, open_alone),
        CASE(the_same_events_give_the_same_effects, open_backup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
