#include "config.h"

#include "tests/unit/heard_scene.h"

#include "base/alloc.h"
#include "base/check.h"
#include "node/hold/known_parts.h"

#include <stdlib.h>

/* ---- what groups ask for */

static const struct round_submission *find(void *context,
                                           const struct hash *member,
                                           bool *is_open)
{
    const struct heard_scene *t = context;
    *is_open = t->are_open;
    return group_scene_find(&t->s, member);
}

static void on_vouched(void *context, const struct hash *member)
{
    struct heard_scene *t = context;
    POT_ASSERT(group_scene_find(&t->s, member) != NULL);
    t->vouched++;
}

static void on_lone(void *context, const struct hash *member)
{
    struct heard_scene *t = context;
    POT_ASSERT(group_scene_find(&t->s, member) != NULL);
    t->lone++;
}

static void on_liar(void *context, const struct public_key *aggregator)
{
    struct heard_scene *t = context;
    POT_ASSERT(public_key_equal(aggregator, key_public(t->s.aggregator)));
    t->liars++;
}

void heard_open_anew(struct heard_scene *t)
{
    const struct groups_calls calls = {
        .context = t, .find = find, .vouched = on_vouched, .lone = on_lone};
    uv_update_time(&t->s.f.loop); /* heard_pass may have set it ahead */
    groups_free(t->groups);
    t->groups = groups_new(&t->s.shared, t->s.record, &t->s.shape, &calls);
}

int heard_set_up(void **state)
{
    struct heard_scene *t = pot_calloc(1, sizeof(*t));
    group_scene_open(&t->s);
    t->s.shared.context = t;
    t->s.shared.on_liar = on_liar;
    heard_open_anew(t);
    *state = t;
    return 0;
}

int heard_tear_down(void **state)
{
    struct heard_scene *t = *state;
    groups_free(t->groups);
    group_scene_close(&t->s);
    free(t);
    return 0;
}

/* ---- trust */

void heard_trust(struct heard_scene *t)
{
    group_trust_right(&t->s.shared.trust, key_public(t->s.aggregator));
}

bool heard_is_trusted(const struct heard_scene *t)
{
    return group_trust_waits(&t->s.shared.trust, key_public(t->s.aggregator));
}

bool heard_is_silent(const struct heard_scene *t,
                     const struct public_key *validator)
{
    return group_trust_is_silent(&t->s.shared.trust, validator);
}

/* ---- what happens */

struct group heard_take(struct heard_scene *t, size_t count, bool is_drawn,
                        int fault)
{
    struct group group;
    group_scene_make(&t->s, &group, count, is_drawn, fault);
    const struct group kept = group;
    bool is_taken = groups_take(t->groups, &group);
    POT_ASSERT(is_taken);
    return kept;
}

unsigned heard_say(struct heard_scene *t, const struct group *group,
                   bool are_drawn, bool is_right, unsigned most)
{
    unsigned said = 0;
    for (size_t i = 1; i < SCENE_VALIDATORS && said < most; i++) {
        const struct group_word word = {.validator = *key_public(t->s.keys[i]),
                                        .group = group->hash,
                                        .is_right = is_right};
        if (group_opens(group, &t->s.set, &word.validator) == are_drawn) {
            groups_word(t->groups, &word, 0);
            said++;
        }
    }
    return said;
}

unsigned heard_waiting(struct heard_scene *t)
{
    unsigned count = 0;
    for (size_t i = 0; i < SCENE_MEMBERS; i++) {
        count += groups_waits(t->groups, &t->s.members[i]) ? 1 : 0;
    }
    return count;
}

void heard_pass(struct heard_scene *t, uint64_t time_ms)
{
    t->s.f.loop.time += time_ms;
    groups_tick(t->groups, uv_now(&t->s.f.loop));
}

static bool is_decided(void *context)
{
    const struct rounds_stats *stats = context;
    return stats->groups_opened + stats->groups_wrong > 0;
}

void heard_decide(struct heard_scene *t)
{
    group_scene_run(&t->s, is_decided, &t->s.shared.stats);
}

bool heard_knows_sum(const struct heard_scene *t)
{
    struct round_part part;
    const struct part_source source = known_parts_source(t->s.f.holdings.parts);
    const struct hash *name = &group_scene_find(&t->s, &t->s.members[0])->hash;
    bool is = source.find(source.context, name, &part);
    if (is) {
        POT_ASSERT(part.member_count == SCENE_MEMBERS);
        POT_ASSERT(hash_equal(&part.sum, &t->s.made.sum));
        free(part.members);
    }
    return is;
}
