/* Votes on their way in: a few at once on the loop, the rest off it, in the
 * order in which they came. */
#include "config.h"

#include "node/block/inbox.h"

#include "base/check.h"
#include "consensus/pbft_message.h"
#include "proto/codec.h"
#include "proto/vote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define REPLICAS  4
#define VOTES_MAX 64

struct world {
    uv_loop_t loop;
    struct hash chain;
    struct key *keys[REPLICAS];
    struct validator_set set;
    struct inbox *inbox;
    uint64_t views[VOTES_MAX]; /* of the votes delivered, in order */
    size_t count;
    size_t breaches;
    bool all_spare;
};

static const struct validator_set *validators(void *context, uint64_t *set_id,
                                              uint64_t *height)
{
    const struct world *w = context;
    *set_id = 0;
    *height = 1;
    return &w->set;
}

static bool is_spare(void *context, const Pot__ConsensusMessage *message,
                     const struct public_key *from)
{
    const struct world *w = context;
    assert_non_null(message);
    return w->all_spare && public_key_equal(from, &w->set.keys[1]);
}

static void deliver(void *context, const struct inbox_message *message)
{
    struct world *w = context;
    assert_true(w->count < VOTES_MAX);
    assert_int_equal(message->is_spare, w->all_spare);
    w->views[w->count++] = message->message->commit->view;
}

static void breach(void *context, const struct public_key *from)
{
    struct world *w = context;
    (void)from;
    w->breaches++;
}

static void world_open(struct world *w)
{
    memset(w, 0, sizeof(*w));
    assert_int_equal(uv_loop_init(&w->loop), 0);
    w->set.count = REPLICAS;
    for (size_t i = 0; i < REPLICAS; i++) {
        w->keys[i] = key_generate();
        w->set.keys[i] = *key_public(w->keys[i]);
    }
    const struct inbox_config config = {
        .loop = &w->loop,
        .chain = w->chain,
        .context = w,
        .validators = validators,
        .is_spare = is_spare,
        .deliver = deliver,
        .breach = breach,
    };
    w->inbox = inbox_new(&config);
}

static void world_close(struct world *w)
{
    assert_true(inbox_is_idle(w->inbox));
    inbox_free(w->inbox);
    for (size_t i = 0; i < REPLICAS; i++) {
        key_free(w->keys[i]);
    }
    assert_int_equal(uv_loop_close(&w->loop), 0);
}

/* A commit of replica 1, told apart by its view. */
static void send_vote(struct world *w, uint64_t view, bool is_forged)
{
    size_t size;
    struct signature signature;
    struct vote vote = {POT__PHASE__PHASE_COMMIT, 1, view, {{9}}, 1};
    vote_sign(&signature, w->keys[is_forged ? 2 : 1], &w->chain, &vote);
    uint8_t *bytes = pbft_message_encode_vote(&size, &vote, &signature);
    inbox_receive(w->inbox, &w->set.keys[1], 1, bytes, size);
    free(bytes);
}

/* A message that is too large to be taken on the loop. */
static void send_large(struct world *w)
{
    static const uint8_t junk[8192];
    inbox_receive(w->inbox, &w->set.keys[1], 1, junk, sizeof(junk));
}

static void run(struct world *w)
{
    assert_int_equal(uv_run(&w->loop, UV_RUN_DEFAULT), 0);
}

static void assert_in_order(const struct world *w, size_t count)
{
    assert_int_equal(w->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(w->views[i], i);
    }
}

static void a_single_vote_is_delivered_at_once(void **state)
{
    struct world w;
    (void)state;
    world_open(&w);
    send_vote(&w, 0, false);
    assert_in_order(&w, 1);
    world_close(&w);
}

/* The loop's clock stands still while the loop does not turn. */
static void many_votes_do_not_hold_the_loop_up(void **state)
{
    struct world w;
    (void)state;
    world_open(&w);
    for (uint64_t i = 0; i < 32; i++) {
        send_vote(&w, i, false);
    }
    assert_true(w.count > 0 && w.count < 16);
    run(&w);
    assert_in_order(&w, 32);
    world_close(&w);
}

static void a_vote_does_not_overtake_what_came_before(void **state)
{
    struct world w;
    struct inbox_stats stats;
    (void)state;
    world_open(&w);
    send_large(&w);
    send_vote(&w, 0, false);
    assert_int_equal(w.count, 0);
    run(&w);
    assert_in_order(&w, 1);
    inbox_stats(w.inbox, &stats);
    assert_int_equal(stats.received, 2);
    assert_int_equal(stats.refused, 1);
    world_close(&w);
}

static void a_forged_vote_is_told_on_the_loop_and_off_it(void **state)
{
    struct world w;
    (void)state;
    world_open(&w);
    send_vote(&w, 0, true);
    assert_int_equal(w.breaches, 1);
    send_large(&w);
    send_vote(&w, 0, true);
    assert_int_equal(w.breaches, 1);
    run(&w);
    assert_int_equal(w.breaches, 3);
    assert_int_equal(w.count, 0);
    world_close(&w);
}

/* However many: none of them is verified. */
static void what_is_spare_is_delivered_unverified(void **state)
{
    struct world w;
    (void)state;
    world_open(&w);
    w.all_spare = true;
    for (uint64_t i = 0; i < 32; i++) {
        send_vote(&w, i, true);
    }
    assert_in_order(&w, 32);
    assert_int_equal(w.breaches, 0);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_single_vote_is_delivered_at_once),
        cmocka_unit_test(many_votes_do_not_hold_the_loop_up),
        cmocka_unit_test(a_vote_does_not_overtake_what_came_before),
        cmocka_unit_test(a_forged_vote_is_told_on_the_loop_and_off_it),
        cmocka_unit_test(what_is_spare_is_delivered_unverified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
