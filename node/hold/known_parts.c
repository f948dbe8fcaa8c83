#include "config.h"

#include "node/hold/known_parts.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/map.h"
#include "node/hold/holdings.h"

#include <stdlib.h>
#include <uv.h>

struct known_parts {
    const struct holdings *holdings;
    uv_mutex_t mutex;
    struct map members; /* submission -> struct round_part */
};

struct known_parts *known_parts_new(const struct holdings *holdings)
{
    struct known_parts *parts = pot_calloc(1, sizeof(*parts));
    int rc = uv_mutex_init(&parts->mutex);
    POT_ASSERT(rc == 0);
    parts->holdings = holdings;
    return parts;
}

static void take_out(struct known_parts *parts, struct round_part *part)
{
    for (size_t i = 0; i < part->member_count; i++) {
        (void)map_remove(&parts->members, part->members[i].b);
    }
    free(part->members);
    free(part);
}

void known_parts_free(struct known_parts *parts)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    if (parts == NULL) {
        return;
    }
    while ((slot = map_next(&parts->members, &cursor)) != NULL) {
        take_out(parts, slot->value);
        cursor = 0;
    }
    map_fini(&parts->members);
    uv_mutex_destroy(&parts->mutex);
    free(parts);
}

static struct round_part *copy(const struct round_part *part)
{
    struct round_part *own = pot_memdup(part, sizeof(*part));
    own->members =
        pot_memdup(part->members, part->member_count * sizeof(*part->members));
    return own;
}

void known_parts_add(struct known_parts *parts, const struct round_part *part)
{
    struct round_part *own = copy(part);
    uv_mutex_lock(&parts->mutex);
    for (size_t i = 0; i < own->member_count; i++) {
        const struct round_part *old =
            map_put(&parts->members, own->members[i].b, own);
        POT_ASSERT(old == NULL);
    }
    uv_mutex_unlock(&parts->mutex);
}

void known_parts_remove(struct known_parts *parts,
                        const struct hash *submission)
{
    uv_mutex_lock(&parts->mutex);
    struct round_part *part = map_get(&parts->members, submission->b);
    if (part != NULL) {
        take_out(parts, part);
    }
    uv_mutex_unlock(&parts->mutex);
}

static bool find(void *context, const struct hash *submission,
                 struct round_part *out)
{
    struct known_parts *parts = context;
    uv_mutex_lock(&parts->mutex);
    const struct round_part *part = map_get(&parts->members, submission->b);
    bool is_known =
        part != NULL && holdings_has_blob(parts->holdings, &part->sum, NULL);
    if (is_known) {
        *out = *part;
        out->members = pot_memdup(part->members,
                                  part->member_count * sizeof(*part->members));
    }
    uv_mutex_unlock(&parts->mutex);
    return is_known;
}

struct part_source known_parts_source(struct known_parts *parts)
{
    return (struct part_source){parts, parts != NULL ? find : NULL};
}
