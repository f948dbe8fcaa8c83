#include "config.h"

#include "node/round/group_places.h"

#include "base/alloc.h"

#include <stdlib.h>

struct group_place {
    struct public_key aggregator;
    bool is_proven;
    bool is_free; /* again */
};

void group_places_fini(struct group_places *places)
{
    free(places->list);
    *places = (struct group_places){0};
}

struct tally {
    size_t held;
    size_t unproven; /* of these */
    size_t unproven_all;
    size_t of_one;
};

static struct tally tally(const struct group_places *places,
                          const struct public_key *aggregator)
{
    struct tally t = {0};
    for (size_t i = 0; i < places->count; i++) {
        const struct group_place *place = &places->list[i];
        t.held += !place->is_free ? 1 : 0;
        t.unproven += !place->is_free && !place->is_proven ? 1 : 0;
        t.unproven_all += !place->is_proven ? 1 : 0;
        t.of_one += public_key_equal(&place->aggregator, aggregator) ? 1 : 0;
    }
    return t;
}

bool group_places_take(struct group_places *places,
                       const struct public_key *aggregator, bool is_proven)
{
    const struct tally t = tally(places, aggregator);
    if (t.held >= GROUPS_MAX || t.of_one >= GROUPS_OF_ONE_MAX ||
        (!is_proven && (t.unproven >= GROUPS_UNPROVEN_MAX ||
                        t.unproven_all >= GROUPS_UNPROVEN_ALL))) {
        return false;
    }
    places->list =
        pot_realloc(places->list, places->count + 1, sizeof(*places->list));
    places->list[places->count++] =
        (struct group_place){*aggregator, is_proven, false};
    return true;
}

void group_places_give_up(struct group_places *places,
                          const struct public_key *aggregator)
{
    for (size_t i = 0; i < places->count; i++) {
        struct group_place *place = &places->list[i];
        if (!place->is_free &&
            public_key_equal(&place->aggregator, aggregator)) {
            place->is_free = true;
            return;
        }
    }
}
