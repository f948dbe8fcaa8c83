#include "config.h"

#include "node/round/group_trust.h"

#include "proto/group.h"

void group_trust_init(struct group_trust *trust)
{
    recent_set_init(&trust->proven, GROUP_TRUST_MAX);
    recent_set_init(&trust->liars, GROUP_TRUST_MAX);
    recent_set_init(&trust->silent, GROUP_TRUST_MAX);
}

void group_trust_fini(struct group_trust *trust)
{
    recent_set_fini(&trust->proven);
    recent_set_fini(&trust->liars);
    recent_set_fini(&trust->silent);
}

bool group_trust_waits(const struct group_trust *trust,
                       const struct public_key *aggregator)
{
    return recent_set_has(&trust->proven, aggregator->b);
}

static bool draws_a_silent_one(const struct group_trust *trust,
                               const struct group *group,
                               const struct validator_set *set)
{
    bool draws = false;
    for (uint32_t i = 0; !draws && i < set->count; i++) {
        draws = group_trust_is_silent(trust, &set->keys[i]) &&
                group_opens(group, set, &set->keys[i]);
    }
    return draws;
}

bool group_trust_is_worth(const struct group_trust *trust,
                          const struct group *group,
                          const struct validator_set *set)
{
    return group_trust_waits(trust, &group->aggregator) &&
           !draws_a_silent_one(trust, group, set);
}

bool group_trust_is_liar(const struct group_trust *trust,
                         const struct public_key *aggregator)
{
    return recent_set_has(&trust->liars, aggregator->b);
}

void group_trust_right(struct group_trust *trust,
                       const struct public_key *aggregator)
{
    recent_set_add(&trust->proven, aggregator->b);
}

void group_trust_late(struct group_trust *trust,
                      const struct public_key *aggregator)
{
    recent_set_remove(&trust->proven, aggregator->b);
}

void group_trust_lied(struct group_trust *trust,
                      const struct public_key *aggregator)
{
    group_trust_late(trust, aggregator);
    recent_set_add(&trust->liars, aggregator->b);
}

bool group_trust_is_silent(const struct group_trust *trust,
                           const struct public_key *validator)
{
    return recent_set_has(&trust->silent, validator->b);
}

void group_trust_silent(struct group_trust *trust,
                        const struct public_key *validator)
{
    recent_set_add(&trust->silent, validator->b);
}

void group_trust_spoke(struct group_trust *trust,
                       const struct public_key *validator)
{
    recent_set_remove(&trust->silent, validator->b);
}
