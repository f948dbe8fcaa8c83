/* Who is asked for what, with peers that exist only here: whatever they do,
 * every height comes out once, in order, from somebody who was right. */
#include "config.h"

#include "p2p/sync_plan.h"

#include "base/limits.h"
#include "p2p/claims.h"
#include "p2p/sync_rate.h"
#include "tests/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define PEERS      5
#define TIMEOUT_MS 1000
#define CHAIN      1500

enum habit {
    PROMPT,
    SLOW,     /* an answer takes longer and longer */
    STALLING, /* now and then it does not answer */
    SHORT,    /* answers with fewer than were asked for */
    LYING,    /* some blocks are wrong */
    PRUNED,   /* does not hold the first ones */
    HABITS
};

struct question {
    uint64_t from;
    uint32_t count;
    uint64_t due_ms; /* UINT64_MAX: never */
};

struct virtual_peer {
    enum habit habit;
    uint64_t lowest;
    bool is_banned;
    struct question open[CLAIMS_OPEN_MAX];
    size_t open_count;
    size_t given; /* blocks */
};

struct scene {
    uint64_t rng;
    uint64_t now;
    uint64_t tip;
    struct sync_plan *plan;
    struct claims claims;
    struct virtual_peer peers[PEERS + 1]; /* ids from 1; the last is honest */
    uint64_t bytes_most;
};

static uint64_t draw(struct scene *s, uint64_t below)
{
    return rng_next(&s->rng) % below;
}

static void scene_init(struct scene *s, uint64_t seed)
{
    *s = (struct scene){.rng = seed, .claims = {.distrust_ms = 500}};
    s->plan = sync_plan_new(0);
    for (uint64_t id = 1; id <= PEERS; id++) {
        struct virtual_peer *p = &s->peers[id];
        p->habit = id == PEERS ? PROMPT : (enum habit)draw(s, HABITS);
        p->lowest = p->habit == PRUNED ? 1 + draw(s, CHAIN) : 1;
        const struct claim claim = {.height = CHAIN, .lowest = p->lowest};
        claims_add(&s->claims, id);
        assert_true(claims_set(&s->claims, id, &claim));
    }
}

static void scene_fini(struct scene *s)
{
    sync_plan_free(s->plan);
    claims_fini(&s->claims);
}

static uint64_t answer_time(struct scene *s, const struct virtual_peer *p)
{
    switch (p->habit) {
    case STALLING:
        return draw(s, 3) == 0 ? UINT64_MAX : s->now + 5 + draw(s, 50);
    case SLOW:
        return s->now + 100 + draw(s, 2 * TIMEOUT_MS);
    case PROMPT:
    case SHORT:
    case LYING:
    case PRUNED:
    case HABITS:
        break;
    }
    return s->now + 5 + draw(s, 50);
}

static void ask(struct scene *s)
{
    uint64_t after = 0;
    uint64_t from;
    while ((from = sync_plan_wanted(s->plan, after, CHAIN)) != 0) {
        uint64_t id = claims_choose(&s->claims, from, s->now);
        if (id == 0) {
            after = claims_next(&s->claims, from, s->now);
            if (after-- == 0) {
                return;
            }
            continue;
        }
        uint64_t most = CHAIN - from + 1;
        uint32_t span = claims_span(&s->claims, id);
        struct virtual_peer *p = &s->peers[id];
        assert_true(p->lowest <= from && p->open_count < CLAIMS_OPEN_MAX);
        const struct plan_ask *asked = sync_plan_ask(
            s->plan, id, from, most < span ? (uint32_t)most : span, s->now, 0);
        claims_asked(&s->claims, id);
        p->open[p->open_count++] =
            (struct question){from, asked->count, answer_time(s, p)};
    }
}

/* A block of height h is "h", a wrong one "h + 1". */
static void hold(struct scene *s, const struct plan_ask *asked, uint64_t height,
                 bool is_wrong)
{
    uint64_t said = is_wrong ? height + 1 : height;
    struct buf bytes = {.data = (uint8_t *)&said, .size = sizeof(said)};
    sync_plan_hold(s->plan, asked, height, &bytes, &bytes);
}

static void close_ask(struct scene *s, struct plan_ask *asked)
{
    claims_answered(&s->claims, asked->peer_id, s->now - asked->asked_ms,
                    TIMEOUT_MS / 8, TIMEOUT_MS / 2);
    sync_plan_close(s->plan, asked);
}

static void answer(struct scene *s, uint64_t id, size_t index)
{
    struct virtual_peer *p = &s->peers[id];
    struct question q = p->open[index];
    struct plan_ask *asked = sync_plan_find_ask(s->plan, id, q.from);
    p->open[index] = p->open[--p->open_count];
    if (asked == NULL) {
        return; /* too late */
    }
    uint32_t count =
        p->habit == SHORT ? 1 + (uint32_t)draw(s, q.count) : q.count;
    for (uint32_t i = 0; i < count; i++) {
        hold(s, asked, q.from + i, p->habit == LYING && draw(s, 40) == 0);
        p->given++;
    }
    close_ask(s, asked);
}

static void answer_all(struct scene *s)
{
    for (uint64_t id = 1; id <= PEERS; id++) {
        for (size_t i = s->peers[id].open_count; i > 0; i--) {
            if (s->peers[id].open[i - 1].due_ms <= s->now) {
                answer(s, id, i - 1);
            }
        }
    }
}

/* A question that is given up is forgotten by the peer, too: it has no place
 * for more than the plan lets it have. */
static void give_up(struct scene *s, uint64_t id)
{
    for (size_t i = sync_plan_asks(s->plan); i > 0; i--) {
        struct plan_ask *asked = sync_plan_ask_at(s->plan, i - 1);
        if (asked->peer_id == id) {
            close_ask(s, asked);
        }
    }
    s->peers[id].open_count = 0;
}

static void time_out(struct scene *s)
{
    for (size_t i = 0; i < sync_plan_asks(s->plan); i++) {
        const struct plan_ask *asked = sync_plan_ask_at(s->plan, i);
        if (s->now >= asked->asked_ms + TIMEOUT_MS) {
            uint64_t id = asked->peer_id;
            give_up(s, id);
            claims_distrust(&s->claims, id, s->now);
            i = 0;
        }
    }
}

static void ban(struct scene *s, uint64_t id)
{
    assert_int_equal(s->peers[id].habit, LYING);
    s->peers[id].is_banned = true;
    give_up(s, id);
    sync_plan_forget(s->plan, id);
    claims_remove(&s->claims, id);
}

/* The owner has up to `ahead` blocks and applies or refuses some of them. */
static void apply(struct scene *s, uint64_t *taken, uint64_t *expected)
{
    struct plan_item item;
    uint64_t ahead = 1 + draw(s, 8);
    uint64_t wrong = 0;
    while (sync_plan_take(s->plan, ahead, 1 << 20, &item)) {
        uint64_t said;
        assert_int_equal(item.height, *taken + 1);
        assert_int_equal(item.block.size, sizeof(said));
        memcpy(&said, item.block.data, sizeof(said));
        *taken = item.height;
        if (said != item.height && wrong == 0) {
            wrong = item.height;
        }
        plan_item_fini(&item);
    }
    if (draw(s, 20) == 0 && *taken > s->tip) { /* not now */
        (void)sync_plan_give_back(s->plan, s->tip + 1);
        *taken = s->tip;
        return;
    }
    for (uint64_t h = s->tip + 1; h <= *taken && h != wrong; h++) {
        assert_int_equal(h, ++*expected);
        s->tip = h;
    }
    sync_plan_set_tip(s->plan, s->tip);
    if (wrong != 0) {
        uint64_t sender = sync_plan_give_back(s->plan, wrong);
        *taken = wrong - 1;
        assert_true(sender != 0);
        ban(s, sender);
    }
    if (draw(s, 50) == 0 && s->tip < CHAIN) { /* it came another way */
        s->tip++;
        ++*expected;
        sync_plan_set_tip(s->plan, s->tip);
        *taken = *taken > s->tip ? *taken : s->tip;
    }
}

static void every_height_comes_out_once_whatever_peers_do(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct scene s;
        uint64_t taken = 0;
        uint64_t expected = 0;
        scene_init(&s, seed);
        while (s.tip < CHAIN && s.now < 3600000) {
            s.now += 1 + draw(&s, 10);
            answer_all(&s);
            time_out(&s);
            apply(&s, &taken, &expected);
            ask(&s);
        }
        if (s.tip != CHAIN) {
            fail_msg("seed %llu stands at %llu", (unsigned long long)seed,
                     (unsigned long long)s.tip);
        }
        assert_int_equal(expected, CHAIN);
        scene_fini(&s);
    }
}

static void who_is_slow_gives_less(void **state)
{
    struct scene s;
    uint64_t taken = 0;
    uint64_t expected = 0;
    (void)state;
    scene_init(&s, 7);
    for (uint64_t id = 1; id <= PEERS; id++) {
        struct claim claim = {.height = CHAIN, .lowest = s.peers[id].lowest};
        s.peers[id].habit = id == 1 ? SLOW : PROMPT;
        claims_remove(&s.claims, id);
        claims_add(&s.claims, id);
        claim.lowest = s.peers[id].lowest = 1;
        assert_true(claims_set(&s.claims, id, &claim));
    }
    while (s.tip < CHAIN) {
        s.now += 5;
        answer_all(&s);
        time_out(&s);
        apply(&s, &taken, &expected);
        ask(&s);
    }
    for (uint64_t id = 2; id <= PEERS; id++) {
        assert_true(s.peers[1].given * 3 < s.peers[id].given);
    }
    scene_fini(&s);
}

static void what_is_held_is_bounded_but_the_first_always_comes(void **state)
{
    static uint8_t frame[FRAME_BYTES_MAX / 2];
    struct sync_plan *plan = sync_plan_new(100);
    struct buf bytes = {.data = frame, .size = sizeof(frame)};
    size_t held = 0;
    uint64_t from;
    (void)state;
    /* All but the first one come. */
    (void)sync_plan_ask(plan, 9, 101, 1, 0, 0);
    while ((from = sync_plan_wanted(plan, 101, UINT64_MAX)) != 0) {
        (void)sync_plan_ask(plan, 1, from, 1, 0, 0);
        struct plan_ask *asked = sync_plan_find_ask(plan, 1, from);
        sync_plan_hold(plan, asked, from, &bytes, &bytes);
        sync_plan_close(plan, asked);
        held += 2 * sizeof(frame);
    }
    assert_true(held <= PLAN_BYTES_MAX);
    assert_true(held + 3 * (size_t)FRAME_BYTES_MAX > PLAN_BYTES_MAX);
    sync_plan_cancel(plan, 9);
    assert_int_equal(sync_plan_wanted(plan, 0, UINT64_MAX), 101);
    sync_plan_free(plan);
}

static void the_rate_says_how_long_it_takes(void **state)
{
    struct sync_rate rate = {0};
    (void)state;
    assert_int_equal(sync_rate_eta(&rate, 5), UINT64_MAX);
    sync_rate_tick(&rate, 0, 1);
    assert_false(rate.is_known);
    sync_rate_tick(&rate, 1, 1000);
    assert_false(rate.is_known);
    sync_rate_tick(&rate, 0, 1001);
    assert_true(rate.is_known);
    rate = (struct sync_rate){0};
    for (uint64_t s = 0; s <= 20; s++) {
        sync_rate_tick(&rate, 100 * s, 1 + 1000 * s);
    }
    assert_in_range(rate.per_1000_s, 99000, 100001);
    assert_in_range(sync_rate_eta(&rate, 1000), 10, 12);
    assert_int_equal(sync_rate_eta(&rate, 0), 0);
    assert_int_equal(sync_rate_eta(&rate, UINT64_MAX), UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_height_comes_out_once_whatever_peers_do),
        cmocka_unit_test(who_is_slow_gives_less),
        cmocka_unit_test(what_is_held_is_bounded_but_the_first_always_comes),
        cmocka_unit_test(the_rate_says_how_long_it_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
