/* What an aggregator passes on, to whom, and from whom it has the payload:
 * between real connections, over a real store. */
#include "config.h"

#include "node/round/aggregator.h"

#include "base/alloc.h"
#include "node/block/needs.h"
#include "node/hold/blob_pool.h"
#include "node/round/group_places.h"
#include "p2p/gossip.h"
#include "proto/blob.h"
#include "proto/codec.h"
#include "proto/gradient.h"
#include "proto/signed.h"
#include "proto/wire.pb-c.h"
#include "tests/unit/chain_fixture.h"
#include "tests/unit/fetch_node.h"
#include "tests/unit/small_task.h"

#include <stdlib.h>
#include <string.h>

enum { SELF, FELLOW, OTHER, MINER, NODES };

static struct {
    struct world w;
    struct chain_fixture chain; /* SELF's */
    struct blob_fetch *fetches[NODES];
    struct needs *needs;
    struct gossip *gossip;
    struct aggregator *aggregator;
    struct hash task;
    uint8_t payload[SMALL_TASK_PAYLOAD_MAX]; /* the miner's, who alone has it */
    size_t payload_size;
    struct hash hash;
    bool is_promised;
    bool is_other_none;    /* no validator, but an aggregator perhaps */
    unsigned heard[NODES]; /* submissions, by each */
} t;

/* ---- the nodes */

static bool read_blob(void *context, const struct hash *hash, uint64_t offset,
                      size_t size, struct buf *out, uint64_t *total)
{
    (void)context;
    if (!hash_equal(hash, &t.hash)) {
        return false;
    }
    assert_true(offset == 0 && size >= t.payload_size);
    buf_append(out, t.payload, t.payload_size);
    *total = t.payload_size;
    return true;
}

/* Light miners do not follow the chain. */
static void on_light_peer(struct node *node, struct peer *peer, bool is_up)
{
    blob_fetch_on_peer(node->user, peer, is_up);
}

static void on_message(struct node *node, struct peer *peer, uint8_t type,
                       const uint8_t *data, size_t size)
{
    if (type == MESSAGE_SUBMISSION) {
        t.heard[node - t.w.nodes]++;
    } else {
        fetch_node_on_message(node, peer, type, data, size);
    }
}

static void node_up(unsigned index)
{
    struct node *node = &t.w.nodes[index];
    const struct blob_fetch_config config = {
        .read = index == MINER ? read_blob : NULL,
    };
    t.fetches[index] = fetch_node_open(&t.w, index, config);
    node->on_message = on_message;
    if (index == MINER) {
        node->on_peer = on_light_peer;
    }
}

static uint64_t id_of(unsigned index)
{
    return peer_id(node_peer(&t.w.nodes[SELF], &t.w.nodes[index]));
}

static bool is_fellow(void *context, const struct peer *peer)
{
    (void)context;
    return public_key_equal(peer_key(peer),
                            key_public(t.w.nodes[FELLOW].key)) ||
           (public_key_equal(peer_key(peer),
                             key_public(t.w.nodes[OTHER].key)) &&
            !t.is_other_none);
}

static bool is_teller(void *context, const struct peer *peer)
{
    (void)context;
    return aggregator_is_teller(t.aggregator, peer_key(peer));
}

static bool are_up(void *context)
{
    const struct node *self = context;
    return net_peer_count(self->net) == MINER &&
           self->received[MESSAGE_STATUS] == OTHER;
}

/* ---- the task */

/* Its miner is the client; the other one does nothing. */
static void store_task(void)
{
    struct public_key miners[2] = {*key_public(t.chain.client)};
    memset(&miners[1], 0xff, sizeof(miners[1]));
    t.task = (struct hash){{5}};
    Pot__TaskRecord *record = small_task_record(&t.task, miners, 2);
    chain_fixture_store_task(&t.chain, record);
    codec_free(record);
    t.payload_size = small_task_payload(t.payload, 5);
    blob_hash(&t.hash, t.payload, t.payload_size);
}

static Pot__Signed *make_submission(void)
{
    const struct small_task_answer answer = {.chain = &t.chain.holdings.chain,
                                             .task = &t.task,
                                             .payload = &t.hash,
                                             .payload_bytes = t.payload_size,
                                             .salt = &t.task};
    return small_task_submission(&answer, t.chain.client);
}

/* ---- all of it */

static bool is_promised(void *context,
                        const struct round_submission *submission)
{
    (void)context;
    (void)submission;
    return t.is_promised;
}

static void open_parts(void)
{
    const struct needs_config needs = {
        .loop = &t.w.loop,
        .fetch = t.fetches[SELF],
        .holdings = &t.chain.holdings,
    };
    t.needs = needs_new(&needs);
    t.gossip = gossip_new(t.w.nodes[SELF].net, 0);
    const struct aggregator_config config = {
        .loop = &t.w.loop,
        .holdings = &t.chain.holdings,
        .needs = t.needs,
        .gossip = t.gossip,
        .is_promised = is_promised,
    };
    t.is_promised = true;
    t.aggregator = aggregator_new(&config);
    gossip_set_fellows(t.gossip, is_fellow, NULL);
    gossip_set_tellers(t.gossip, is_teller, NULL);
}

static int set_up(void **state)
{
    (void)state;
    memset(&t, 0, sizeof(t));
    world_init(&t.w);
    chain_fixture_open(&t.chain);
    store_task();
    for (unsigned i = SELF; i < NODES; i++) {
        node_up(i);
    }
    world_run(&t.w, are_up, &t.w.nodes[SELF]);
    open_parts();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    aggregator_stop(t.aggregator);
    needs_stop(t.needs);
    for (unsigned i = SELF; i < NODES; i++) {
        node_close(&t.w.nodes[i]);
        blob_fetch_free(t.fetches[i]);
    }
    world_fini(&t.w);
    gossip_free(t.gossip);
    aggregator_free(t.aggregator);
    needs_free(t.needs);
    chain_fixture_close(&t.chain);
    return 0;
}

/* As the node does with what is new. */
static void bring(unsigned from)
{
    Pot__Signed *message = make_submission();
    aggregator_take(t.aggregator, message, id_of(from));
    codec_free(message);
}

static struct aggregator_stats stats(void)
{
    struct aggregator_stats stats;
    aggregator_stats(t.aggregator, &stats);
    return stats;
}

static bool is_heard(void *context)
{
    const unsigned *who = context;
    return t.heard[*who] > 0;
}

static void wait_for(unsigned who)
{
    world_run(&t.w, is_heard, &who);
}

static bool is_refused(void *context)
{
    (void)context;
    return stats().refused > 0;
}

static void hold_payload(void)
{
    assert_true(blob_pool_put(t.chain.holdings.pool, &t.hash, t.payload,
                              t.payload_size));
}

static void a_miners_gradient_goes_to_all_validators(void **state)
{
    (void)state;
    bring(MINER);
    bring(MINER); /* once more is once */
    assert_int_equal(stats().waiting, 1);
    wait_for(FELLOW);
    wait_for(OTHER);
    assert_int_equal(t.heard[MINER], 0);
    assert_int_equal(stats().passed_on, 1);
    assert_int_equal(stats().waiting, 0);
}

static void what_is_no_gradient_goes_no_further(void **state)
{
    (void)state;
    t.payload[0] ^= 1;
    blob_hash(&t.hash, t.payload, t.payload_size);
    bring(MINER);
    world_run(&t.w, is_refused, NULL);
    assert_int_equal(stats().passed_on, 0);
    assert_int_equal(stats().waiting, 0);
}

static void a_blob_of_another_size_goes_no_further(void **state)
{
    (void)state;
    hold_payload();
    t.payload_size--;
    t.hash.b[0] ^= 1;
    hold_payload(); /* under that hash, and too short for a gradient */
    t.payload_size++;
    bring(MINER);
    assert_int_equal(stats().refused, 1);
    assert_int_equal(stats().waiting, 0);
}

/* A validator names it first and does not hand out its payload. */
static void a_miner_is_asked_for_what_a_validator_keeps_back(void **state)
{
    (void)state;
    bring(FELLOW);
    world_turn(&t.w, 50);
    assert_int_equal(stats().waiting, 1);
    bring(OTHER); /* they tell each other */
    assert_int_equal(stats().waiting, 1);
    bring(MINER);
    wait_for(FELLOW);
    wait_for(OTHER);
    assert_int_equal(stats().passed_on, 1);
}

/* What a validator brings is told to those who are none; its miner may reach
 * the other validators by this aggregator alone. */
static void validators_hear_of_it_when_its_miner_brings_it(void **state)
{
    (void)state;
    hold_payload();
    bring(FELLOW);
    assert_int_equal(stats().passed_on, 1);
    world_turn(&t.w, 50);
    assert_int_equal(t.heard[FELLOW] + t.heard[OTHER], 0);
    bring(MINER);
    wait_for(OTHER);
}

/* Validators would not take it, nor a group that it is in. */
static void what_was_not_committed_to_waits_for_no_group(void **state)
{
    (void)state;
    hold_payload();
    t.is_promised = false;
    bring(MINER);
    assert_int_equal(stats().passed_on, 1);
}

static void what_was_committed_to_waits_for_others(void **state)
{
    (void)state;
    hold_payload();
    bring(MINER);
    assert_int_equal(stats().passed_on, 0);
    wait_for(OTHER);
    assert_int_equal(stats().passed_on, 1);
}

/* A group of two, or so many, which nobody here knows. */
static bool bring_group_of(const struct key *author, const struct key *from,
                           uint32_t round, size_t count, bool is_told)
{
    static const struct hash members[] = {{{1}}, {{2}}, {{3}}};
    Pot__GroupBody body = POT__GROUP_BODY__INIT;
    body.task = codec_bytes(t.task.b, HASH_SIZE);
    body.round = round;
    body.members = codec_bytes(members, count * HASH_SIZE);
    body.root = body.task;
    body.sum_hash = body.task;
    body.sum_bytes = 1;
    body.is_told = is_told;
    Pot__Signed *message =
        signed_make(SIGNED_GROUP, &t.chain.holdings.chain, author, &body);
    bool is_taken = aggregator_group(t.aggregator, message, key_public(from));
    codec_free(message);
    return is_taken;
}

static bool bring_group(const struct key *author, const struct key *from,
                        uint32_t round, size_t count)
{
    return bring_group_of(author, from, round, count, false);
}

static void a_group_is_taken_of_its_author_alone(void **state)
{
    (void)state;
    const struct key *author = t.w.nodes[OTHER].key;
    assert_false(bring_group(author, t.w.nodes[MINER].key, 0, 2));
    assert_false(bring_group(author, author, 1, 2));
    assert_false(bring_group(author, author, 0, 3)); /* more than the roster */
    for (int i = 0; i < GROUPS_OF_ONE_MAX; i++) {
        assert_true(bring_group(author, author, 0, 2));
    }
    assert_false(bring_group(author, author, 0, 2));
}

/* Validators have it from that one; but a miner of its may be one of ours, too,
 * and is not to depend on it. */
static void what_validators_are_told_by_another_aggregator_is_told_once(
    void **state)
{
    (void)state;
    const struct key *author = t.w.nodes[OTHER].key;
    t.is_other_none = true;
    assert_true(bring_group_of(author, author, 0, 2, true));
    hold_payload();
    bring(OTHER);
    assert_int_equal(stats().passed_on, 1);
    world_turn(&t.w, 50);
    assert_int_equal(t.heard[FELLOW], 0);
    bring(MINER);
    wait_for(FELLOW);
}

/* It may reach validators by this one alone. */
static void what_they_are_not_told_by_it_is_told_here(void **state)
{
    (void)state;
    const struct key *author = t.w.nodes[OTHER].key;
    t.is_other_none = true;
    assert_true(bring_group_of(author, author, 0, 2, false));
    hold_payload();
    bring(OTHER);
    wait_for(FELLOW);
}

static void who_tells_them_says_so_in_its_last_group(void **state)
{
    (void)state;
    const struct key *author = t.w.nodes[OTHER].key;
    const struct public_key *key = key_public(author);
    assert_false(aggregator_is_teller(t.aggregator, key));
    assert_true(bring_group_of(author, author, 0, 2, true));
    assert_true(aggregator_is_teller(t.aggregator, key));
    assert_true(bring_group_of(author, author, 0, 2, false));
    assert_false(aggregator_is_teller(t.aggregator, key));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_miners_gradient_goes_to_all_validators),
        TEST(what_was_not_committed_to_waits_for_no_group),
        TEST(what_was_committed_to_waits_for_others),
        TEST(what_is_no_gradient_goes_no_further),
        TEST(a_blob_of_another_size_goes_no_further),
        TEST(a_miner_is_asked_for_what_a_validator_keeps_back),
        TEST(validators_hear_of_it_when_its_miner_brings_it),
        TEST(a_group_is_taken_of_its_author_alone),
        TEST(what_validators_are_told_by_another_aggregator_is_told_once),
        TEST(what_they_are_not_told_by_it_is_told_here),
        TEST(who_tells_them_says_so_in_its_last_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
