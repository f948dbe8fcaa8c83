/* A group's way, with the function on each edge:
 *
 *              groups_take
 *                   |
 *        drawn      v      others
 *     .---------- HEARD ----------.
 *     |                           | groups_word: f + 1 say right
 *     | try_open: all members     v
 *     v are here               FETCHING the sum
 *   OPENING                       |
 *     |                           | on_sum
 *     | on_opened: says a word    v
 *     v                        VOUCHED --groups_dissolve--.
 *   OPENED                                                v
 *   from any other than OPENED: wrong or too late ---> DROPPED
 */
#include "config.h"

#include "node/round/groups.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "base/map.h"
#include "ledger/aggregate.h"
#include "ledger/ledger.h"
#include "node/block/needs.h"
#include "node/hold/blob_pool.h"
#include "node/hold/holdings.h"
#include "node/hold/known_parts.h"
#include "node/hold/stored.h"
#include "node/round/group_early.h"
#include "node/round/group_places.h"
#include "node/round/group_sum.h"
#include "node/round/group_trust.h"
#include "node/round/pledges.h"
#include "node/round/rounds_shared.h"
#include "p2p/gossip.h"
#include "proto/codec.h"
#include "proto/group.h"
#include "proto/partial_sum.h"
#include "proto/round.h"
#include "proto/signed.h"

#include <stdlib.h>

enum heard_state { HEARD, OPENING, OPENED, FETCHING, VOUCHED, DROPPED };

struct heard {
    struct groups *groups;
    struct group group;
    enum heard_state state;
    bool is_drawn;   /* this validator is to open it */
    bool is_known;   /* a submission of its has been here */
    bool is_waiting; /* there are submissions that would wait for it */
    bool is_awaited; /* so there are where it is not opened, as far as is known
                        here */
    struct public_key *wrong; /* who says that it is */
    size_t wrong_count;
    bool is_dissolved;
    struct hash known_by;     /* VOUCHED: one of its members' submissions */
    uint64_t deadline_ms;     /* of its words, and of the wait */
    struct public_key *right; /* who says so */
    size_t right_count;
    uint64_t peer_id;      /* who said so last; 0: nobody */
    struct group_sum *sum; /* OPENING */
};

struct groups {
    struct rounds_shared *shared;
    const Pot__TaskRecord *task;
    const struct model_shape *shape;
    struct groups_calls calls;
    struct validator_set validators;
    uint64_t opened_ms; /* the round, on the loop's clock */
    size_t awaited;     /* groups now */
    uint64_t since_ms;  /* when any are */
    uint64_t waited_ms; /* before that */
    bool are_dissolved; /* no more sums are taken */
    struct group_places places;
    struct map heard;   /* hash -> struct heard */
    struct map members; /* name -> struct heard */
    struct map counted; /* submissions -> this, by the last tally */
    struct group_early early;
};

struct groups *groups_new(struct rounds_shared *shared,
                          const Pot__TaskRecord *task,
                          const struct model_shape *shape,
                          const struct groups_calls *calls)
{
    const struct state state = stored_state(shared->holdings->store);
    struct groups *groups = pot_calloc(1, sizeof(*groups));
    groups->shared = shared;
    groups->task = task;
    groups->shape = shape;
    groups->calls = *calls;
    groups->opened_ms = uv_now(shared->loop);
    ledger_validators(&state, &groups->validators);
    return groups;
}

static struct blob_pool *pool_of(const struct heard *h)
{
    return h->groups->shared->holdings->pool;
}

/* What is under way for it ends. */
static void halt(struct heard *h)
{
    const struct rounds_shared *shared = h->groups->shared;
    if (h->state == FETCHING) {
        needs_forget(shared->needs, h);
    } else if (h->state == VOUCHED) {
        known_parts_remove(shared->holdings->parts, &h->known_by);
    }
    group_sum_forget(h->sum);
    h->sum = NULL;
}

static void heard_free(struct heard *h)
{
    halt(h);
    blob_pool_release(pool_of(h), &h->group.sum);
    group_fini(&h->group);
    free(h->right);
    free(h->wrong);
    free(h);
}

void groups_free(struct groups *groups)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    if (groups == NULL) {
        return;
    }
    while ((slot = map_next(&groups->heard, &cursor)) != NULL) {
        heard_free(slot->value);
    }
    map_fini(&groups->heard);
    map_fini(&groups->members);
    map_fini(&groups->counted);
    group_places_fini(&groups->places);
    group_early_fini(&groups->early);
    free(groups);
}

/* ---- the end of one */

static bool waits_here(const struct heard *h)
{
    return h->is_waiting && !h->is_drawn;
}

static void begin_wait(struct heard *h)
{
    struct groups *groups = h->groups;
    h->is_awaited = true;
    if (groups->awaited++ == 0) {
        groups->since_ms = uv_now(groups->shared->loop);
    }
}

static void end_wait(struct heard *h)
{
    struct groups *groups = h->groups;
    if (!h->is_awaited) {
        return;
    }
    h->is_awaited = false;
    groups->waited_ms = groups_waited_ms(groups);
    groups->since_ms = uv_now(groups->shared->loop);
    groups->awaited--;
}

/* Its members are on their own again, those that waited. */
static void drop(struct heard *h)
{
    const struct groups_calls *calls = &h->groups->calls;
    if (h->state == DROPPED || h->state == OPENED) {
        return;
    }
    halt(h);
    end_wait(h);
    h->state = DROPPED;
    for (size_t i = 0; waits_here(h) && i < h->group.member_count; i++) {
        calls->lone(calls->context, &h->group.members[i]);
    }
}

static void tell(const struct heard *h, const char *what, const char *why)
{
    char aggregator[ADDRESS_TEXT_SIZE];
    LOG(LOG_WARN, "node", what, log_u64("round", h->group.round),
        log_text("aggregator",
                 address_format(&h->group.aggregator, aggregator)),
        log_u64("members", h->group.member_count), log_text("why", why));
}

/* It came to nothing, and nobody is convicted of it. */
static void give_up(struct heard *h, const char *why)
{
    struct rounds_shared *shared = h->groups->shared;
    if (h->is_drawn) {
        end_wait(h); /* this validator finds out itself, others do not */
        return;
    }
    group_trust_late(&shared->trust, &h->group.aggregator);
    if (waits_here(h) && h->state != DROPPED) {
        shared->stats.groups_given_up++;
        tell(h, "group given up", why);
    }
    drop(h);
}

/* ---- words */

static bool is_among(const struct public_key *validator,
                     const struct public_key *list, size_t count)
{
    bool is = false;
    for (size_t i = 0; !is && i < count; i++) {
        is = public_key_equal(&list[i], validator);
    }
    return is;
}

static bool has_said_right(const struct heard *h,
                           const struct public_key *validator)
{
    return is_among(validator, h->right, h->right_count);
}

static bool has_said_wrong(const struct heard *h,
                           const struct public_key *validator)
{
    return is_among(validator, h->wrong, h->wrong_count);
}

/* Who say right of those who are drawn, by the present set; this validator
 * among them. */
static size_t count_words(const struct heard *h)
{
    const struct validator_set *set = &h->groups->validators;
    size_t count = h->state == OPENED ? 1 : 0;
    for (size_t i = 0; i < h->right_count; i++) {
        count += group_opens(&h->group, set, &h->right[i]) ? 1 : 0;
    }
    return count;
}

static bool has_words(const struct heard *h)
{
    return count_words(h) >= group_words_needed(&h->groups->validators);
}

/* This validator has found that it is right, or all others say so. */
static bool is_found_right(const struct heard *h)
{
    size_t words = count_words(h);
    return h->is_drawn
               ? h->state == OPENED
               : words > 0 &&
                     words + 1 >= group_words_needed(&h->groups->validators);
}

/* Who called it wrong then: it was no fault of its aggregator's. */
static void blame_the_false(const struct heard *h)
{
    struct group_trust *trust = &h->groups->shared->trust;
    for (size_t i = 0; is_found_right(h) && i < h->wrong_count; i++) {
        group_trust_silent(trust, &h->wrong[i]);
        group_trust_right(trust, &h->group.aggregator);
    }
}

static void say(const struct heard *h, bool is_right)
{
    size_t size;
    const struct rounds_shared *shared = h->groups->shared;
    Pot__GroupWordBody body = POT__GROUP_WORD_BODY__INIT;
    body.task = codec_bytes(h->group.task.b, HASH_SIZE);
    body.round = h->group.round;
    body.group = codec_bytes(h->group.hash.b, HASH_SIZE);
    body.is_right = is_right;
    Pot__Signed *message = signed_make(
        SIGNED_GROUP_WORD, &shared->holdings->chain, shared->key, &body);
    if (message != NULL) {
        uint8_t *data = codec_encode(&size, message);
        gossip_tell_fellows(shared->gossip, MESSAGE_GROUP_WORD, data, size);
        free(data);
        codec_free(message);
    }
}

/* What its aggregator signed does not hold: there is no honest way to that. */
static void convict(struct heard *h, const char *why)
{
    struct rounds_shared *shared = h->groups->shared;
    shared->stats.groups_wrong++;
    tell(h, "group is wrong", why);
    group_trust_lied(&shared->trust, &h->group.aggregator);
    say(h, false);
    drop(h);
    shared->on_liar(shared->context, &h->group.aggregator);
}

/* ---- opening it */

static struct group_member *list_members(const struct heard *h)
{
    const struct groups_calls *calls = &h->groups->calls;
    size_t count = h->group.member_count;
    struct group_member *members = pot_calloc(count, sizeof(*members));
    for (size_t i = 0; i < count; i++) {
        bool is_open;
        const struct round_submission *s =
            calls->find(calls->context, &h->group.members[i], &is_open);
        if (s == NULL) {
            free(members);
            return NULL;
        }
        members[i] = group_member_of(s);
    }
    return members;
}

static const char *fault_of(const struct group *group,
                            const struct group_result *result)
{
    if (result->err == POT_EFORMAT) {
        return "a payload of its is no gradient of this model";
    }
    if (!hash_equal(&result->root, &group->root)) {
        return "its root is not that of its members";
    }
    if (!hash_equal(&result->sum, &group->sum) ||
        result->sum_bytes != group->sum_bytes) {
        return "its sum is not that of its members";
    }
    return NULL;
}

static void on_opened(void *context, const struct group_result *result)
{
    struct heard *h = context;
    struct rounds_shared *shared = h->groups->shared;
    h->sum = NULL;
    if (result->err != POT_OK && result->err != POT_EFORMAT) {
        h->state = HEARD; /* no word; later, if a payload comes again */
        tell(h, "group not opened", err_text(result->err));
        return;
    }
    const char *fault = fault_of(&h->group, result);
    if (fault != NULL) {
        convict(h, fault);
        return;
    }
    h->state = OPENED;
    shared->stats.groups_opened++;
    group_trust_right(&shared->trust, &h->group.aggregator);
    blame_the_false(h);
    say(h, true);
    if (has_words(h)) {
        end_wait(h); /* elsewhere it goes on with the sum alone */
    }
}

static bool are_all_open(const struct heard *h)
{
    const struct groups_calls *calls = &h->groups->calls;
    bool are = true;
    for (size_t i = 0; are && i < h->group.member_count; i++) {
        are = calls->find(calls->context, &h->group.members[i], &are) != NULL &&
              are;
    }
    return are;
}

static void try_open(struct heard *h)
{
    struct rounds_shared *shared = h->groups->shared;
    if (!h->is_drawn || h->state != HEARD || !are_all_open(h)) {
        return;
    }
    const struct group_order order = {
        .sums = &shared->sums,
        .loop = shared->loop,
        .holdings = shared->holdings,
        .task = h->group.task,
        .members = list_members(h),
        .count = h->group.member_count,
        .is_promised = true,
        .promise = {h->group.task, h->group.round, h->group.hash, 0},
    };
    h->state = OPENING;
    h->sum = group_sum_start(&order, on_opened, h);
}

void groups_opened(struct groups *groups, const struct hash *member)
{
    struct heard *h = map_get(&groups->members, member->b);
    if (h != NULL) {
        try_open(h);
    }
}

void groups_malformed(struct groups *groups, const struct hash *member)
{
    struct heard *h = map_get(&groups->members, member->b);
    if (h != NULL && h->state != DROPPED) {
        convict(h, "a payload of its is no gradient of this model");
    }
}

void groups_refresh(struct groups *groups)
{
    const struct state state = stored_state(groups->shared->holdings->store);
    ledger_validators(&state, &groups->validators);
}

/* ---- taking others' word for it */

/* Its members here are those that it names: so is its root, or it lies. */
static bool root_holds(const struct heard *h)
{
    struct hash root;
    size_t count = h->group.member_count;
    struct group_member *members = list_members(h);
    struct hash *leaves = pot_calloc(count, sizeof(*leaves));
    for (size_t i = 0; members != NULL && i < count; i++) {
        leaves[i] = members[i].leaf;
    }
    hash_merkle_root(&root, leaves, count);
    bool holds = members != NULL && hash_equal(&root, &h->group.root);
    free(leaves);
    free(members);
    return holds;
}

/* The ledger knows submissions by their own hashes.  In: all are here. */
static void add_part(struct heard *h)
{
    const struct groups_calls *calls = &h->groups->calls;
    size_t count = h->group.member_count;
    struct hash *names = pot_calloc(count, sizeof(*names));
    for (size_t i = 0; i < count; i++) {
        bool is_open;
        names[i] =
            calls->find(calls->context, &h->group.members[i], &is_open)->hash;
    }
    qsort(names, count, sizeof(*names), hash_order);
    h->known_by = names[0];
    const struct round_part part = {names, count, h->group.sum};
    known_parts_add(h->groups->shared->holdings->parts, &part);
    free(names);
}

static void vouch(struct heard *h)
{
    struct rounds_shared *shared = h->groups->shared;
    const struct groups_calls *calls = &h->groups->calls;
    h->state = VOUCHED;
    end_wait(h);
    add_part(h);
    shared->stats.groups_taken++;
    shared->stats.payloads_spared += h->group.member_count;
    for (size_t i = 0; h->state == VOUCHED && i < h->group.member_count; i++) {
        calls->vouched(calls->context, &h->group.members[i]);
    }
}

static void on_sum(void *context, bool is_held)
{
    struct heard *h = context;
    bool is_right =
        is_held && !holdings_has_another(h->groups->shared->holdings,
                                         &h->group.sum, h->group.sum_bytes);
    h->state = HEARD;
    if (!is_right) {
        give_up(h, "its sum is not to be had");
    } else if (!root_holds(h)) {
        give_up(h, "not all of its members are here");
    } else {
        vouch(h);
    }
}

/* Only what somebody waits for is fetched. */
static void try_vouch(struct heard *h)
{
    if (h->state == HEARD && waits_here(h) && has_words(h)) {
        h->state = FETCHING;
        needs_blob(h->groups->shared->needs, &h->group.sum, h->group.sum_bytes,
                   h->peer_id, on_sum, h);
    }
}

static void hear_right(struct heard *h, const struct public_key *validator,
                       uint64_t peer_id)
{
    struct group_trust *trust = &h->groups->shared->trust;
    if (has_said_right(h, validator) || has_said_wrong(h, validator)) {
        return;
    }
    if (uv_now(h->groups->shared->loop) <= h->deadline_ms) {
        group_trust_spoke(trust, validator);
    }
    h->right = pot_realloc(h->right, h->right_count + 1, sizeof(*h->right));
    h->right[h->right_count++] = *validator;
    h->peer_id = peer_id;
    blame_the_false(h);
    if (has_words(h)) {
        group_trust_right(trust, &h->group.aggregator);
    }
    if (h->state == OPENED && has_words(h)) {
        end_wait(h); /* elsewhere it goes on with the sum alone */
    }
    try_vouch(h);
}

/* Who takes its word back is not heard, nor who speaks when all have spoken. */
static void hear_wrong(struct heard *h, const struct public_key *validator)
{
    if (h->state == VOUCHED || has_said_right(h, validator) ||
        has_said_wrong(h, validator)) {
        return;
    }
    h->wrong = pot_realloc(h->wrong, h->wrong_count + 1, sizeof(*h->wrong));
    h->wrong[h->wrong_count++] = *validator;
    give_up(h, "a validator says that it is wrong");
    blame_the_false(h);
}

void groups_word(struct groups *groups, const struct group_word *word,
                 uint64_t peer_id)
{
    uint32_t index;
    const struct validator_set *set = &groups->validators;
    struct heard *h = map_get(&groups->heard, word->group.b);
    if (h == NULL) {
        if (validator_set_find(&index, set, &word->validator)) {
            group_early_keep(&groups->early, word);
        }
    } else if (!group_opens(&h->group, set, &word->validator)) {
        return; /* nobody asked */
    } else if (word->is_right) {
        hear_right(h, &word->validator, peer_id);
    } else {
        hear_wrong(h, &word->validator);
    }
}

/* ---- waiting for it */

/* When words on what is heard of now would be late. */
static uint64_t deadline_from_now(const struct groups *groups)
{
    uint64_t now = uv_now(groups->shared->loop);
    uint64_t most = groups->task->spec->round_timeout_ms / 8;
    uint64_t wait = pledges_grace_ms(groups->opened_ms, now) / 4;
    wait = wait > GROUPS_WAIT_MIN_MS ? wait : GROUPS_WAIT_MIN_MS;
    wait = wait < GROUPS_WAIT_MAX_MS ? wait : GROUPS_WAIT_MAX_MS;
    return now + (wait < most ? wait : most);
}

static bool draws_a_silent_one(const struct heard *h)
{
    const struct validator_set *set = &h->groups->validators;
    const struct group_trust *trust = &h->groups->shared->trust;
    bool draws = false;
    for (uint32_t i = 0; !draws && i < set->count; i++) {
        draws = group_trust_is_silent(trust, &set->keys[i]) &&
                group_opens(&h->group, set, &set->keys[i]);
    }
    return draws;
}

static bool is_worth_it(const struct heard *h)
{
    return h->is_waiting || (group_trust_waits(&h->groups->shared->trust,
                                               &h->group.aggregator) &&
                             !draws_a_silent_one(h));
}

bool groups_waits(struct groups *groups, const struct hash *member)
{
    struct heard *h = map_get(&groups->members, member->b);
    if (h == NULL || h->state == DROPPED || h->state == VOUCHED ||
        groups->are_dissolved || !is_worth_it(h)) {
        return false;
    }
    if (!h->is_waiting) {
        h->is_waiting = true;
        h->deadline_ms = deadline_from_now(groups);
        begin_wait(h);
    }
    return !h->is_drawn; /* if it has its words already, groups_tick goes on */
}

uint64_t groups_waited_ms(const struct groups *groups)
{
    uint64_t now = uv_now(groups->shared->loop);
    return groups->waited_ms +
           (groups->awaited > 0 ? now - groups->since_ms : 0);
}

/* Those who were drawn, and have said nothing. */
static void blame_the_silent(const struct heard *h)
{
    const struct rounds_shared *shared = h->groups->shared;
    const struct validator_set *set = &h->groups->validators;
    for (uint32_t i = 0; i < set->count; i++) {
        const struct public_key *key = &set->keys[i];
        if (!public_key_equal(key, key_public(shared->key)) &&
            !has_said_right(h, key) && group_opens(&h->group, set, key)) {
            group_trust_silent(&h->groups->shared->trust, key);
        }
    }
}

/* Who opens it waits for nothing, and goes on. */
static void end_in_vain(struct heard *h)
{
    if (!h->is_drawn) {
        blame_the_silent(h);
        give_up(h, "nobody has opened it in time");
    } else if (h->state == OPENED) {
        blame_the_silent(h);
    }
    end_wait(h);
}

/* ---- hearing of it */

static bool may_take(const struct groups *groups, const struct group *group)
{
    if (group_trust_is_liar(&groups->shared->trust, &group->aggregator) ||
        group->member_count > groups->task->n_roster ||
        group->sum_bytes > partial_sum_bytes_max(groups->shape) ||
        !aggregate_takes_sums(groups->task->spec)) {
        return false;
    }
    /* The first group that names a submission has it. */
    for (size_t i = 0; i < group->member_count; i++) {
        if (map_get(&groups->members, group->members[i].b) != NULL) {
            return false;
        }
    }
    return true;
}

static void take_early(void *context, const struct group_word *word)
{
    groups_word(context, word, 0);
}

bool groups_take(struct groups *groups, struct group *group)
{
    const struct group_trust *trust = &groups->shared->trust;
    if (!may_take(groups, group) ||
        !group_places_take(&groups->places, &group->aggregator,
                           group_trust_waits(trust, &group->aggregator))) {
        group_fini(group);
        return false;
    }
    struct heard *h = pot_calloc(1, sizeof(*h));
    h->groups = groups;
    h->group = *group;
    h->deadline_ms = deadline_from_now(groups);
    h->is_drawn = group_opens(&h->group, &groups->validators,
                              key_public(groups->shared->key));
    blob_pool_claim(pool_of(h), &h->group.sum);
    (void)map_put(&groups->heard, h->group.hash.b, h);
    for (size_t i = 0; i < h->group.member_count; i++) {
        (void)map_put(&groups->members, h->group.members[i].b, h);
    }
    group_early_replay(&groups->early, &h->group.hash, take_early, groups);
    try_open(h);
    return true;
}

/* ---- what the round counts */

void groups_count(struct groups *groups, const struct hash *counted,
                  size_t count)
{
    map_fini(&groups->counted);
    for (size_t i = 0; i < count; i++) {
        (void)map_put(&groups->counted, counted[i].b, groups);
    }
}

static size_t count_counted(const struct heard *h)
{
    const struct groups_calls *calls = &h->groups->calls;
    size_t counted = 0;
    for (size_t i = 0; i < h->group.member_count; i++) {
        bool is_open;
        const struct round_submission *s =
            calls->find(calls->context, &h->group.members[i], &is_open);
        counted += s != NULL && map_get(&h->groups->counted, s->hash.b) != NULL
                       ? 1
                       : 0;
    }
    return counted;
}

/* Who has opened it needs nothing, and knows what others do. */
static bool is_split(const struct heard *h)
{
    size_t counted =
        (h->state == VOUCHED || h->state == OPENED) && !h->is_dissolved
            ? count_counted(h)
            : 0;
    return counted > 0 && counted < h->group.member_count;
}

bool groups_are_split(const struct groups *groups)
{
    bool are = false;
    size_t cursor = 0;
    const struct map_slot *slot;
    while (!are && (slot = map_next(&groups->heard, &cursor)) != NULL) {
        are = is_split(slot->value);
    }
    return are;
}

void groups_dissolve(struct groups *groups, bool are_all)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    groups->are_dissolved = groups->are_dissolved || are_all;
    while ((slot = map_next(&groups->heard, &cursor)) != NULL) {
        struct heard *h = slot->value;
        if (is_split(h) || (are_all && !h->is_drawn)) {
            h->is_dissolved = true;
            drop(h);
        }
    }
}

/* ---- as time passes */

/* None of its members has come with it. */
static bool is_strange(struct heard *h, uint64_t now_ms)
{
    const struct groups_calls *calls = &h->groups->calls;
    bool is_open;
    if (h->state != HEARD || now_ms < h->deadline_ms) {
        return false;
    }
    for (size_t i = 0; !h->is_known && i < h->group.member_count; i++) {
        h->is_known =
            calls->find(calls->context, &h->group.members[i], &is_open) != NULL;
    }
    return !h->is_known;
}

static struct heard *find_strange(const struct groups *groups, uint64_t now_ms)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&groups->heard, &cursor)) != NULL) {
        if (is_strange(slot->value, now_ms)) {
            return slot->value;
        }
    }
    return NULL;
}

/* Its place is free, and so are the submissions that it names. */
static void forget(struct heard *h)
{
    struct groups *groups = h->groups;
    group_places_give_up(&groups->places, &h->group.aggregator);
    (void)map_remove(&groups->heard, h->group.hash.b);
    for (size_t i = 0; i < h->group.member_count; i++) {
        (void)map_remove(&groups->members, h->group.members[i].b);
    }
    heard_free(h);
}

void groups_tick(struct groups *groups, uint64_t now_ms)
{
    struct heard *strange;
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&groups->heard, &cursor)) != NULL) {
        struct heard *h = slot->value;
        if (h->is_awaited && now_ms >= h->deadline_ms) {
            end_in_vain(h);
        } else {
            try_vouch(h);
        }
    }
    while ((strange = find_strange(groups, now_ms)) != NULL) {
        forget(strange);
    }
}
