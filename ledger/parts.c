#include "config.h"

#include "ledger/parts.h"

#include "base/alloc.h"

#include <stdlib.h>

/* The counted ones by ascending hash, and where each stood. */
struct place {
    struct hash submission;
    size_t index;
};

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a;
    const struct place *y = b;
    return hash_compare(&x->submission, &y->submission);
}

static struct place *sort(const struct hash *counted, size_t count)
{
    struct place *places = pot_calloc(count, sizeof(*places));
    for (size_t i = 0; i < count; i++) {
        places[i] = (struct place){counted[i], i};
    }
    if (count > 0) {
        qsort(places, count, sizeof(*places), compare_places);
    }
    return places;
}

static const struct place *find(const struct place *places, size_t count,
                                const struct hash *submission)
{
    const struct place wanted = {.submission = *submission};
    return bsearch(&wanted, places, count, sizeof(*places), compare_places);
}

struct choice {
    const struct place *places;
    size_t count;
    bool *are_seen; /* of each submission: its part was looked at */
};

/* Looks at all members; whether all are counted. */
static bool is_whole(struct choice *c, const struct round_part *part)
{
    bool is = true;
    for (size_t i = 0; i < part->member_count; i++) {
        const struct place *place =
            find(c->places, c->count, &part->members[i]);
        is = is && place != NULL;
        if (place != NULL) {
            c->are_seen[place->index] = true;
        }
    }
    return is;
}

/* Takes the part. */
static void add(struct parts *out, const struct choice *c,
                const struct round_part *part)
{
    out->list = pot_realloc(out->list, out->count + 1, sizeof(*out->list));
    out->list[out->count++] = *part;
    for (size_t i = 0; i < part->member_count; i++) {
        size_t index = find(c->places, c->count, &part->members[i])->index;
        out->are_in[index] = true;
    }
}

void parts_choose(struct parts *out, const struct part_source *source,
                  const struct hash *counted, size_t count)
{
    struct round_part part;
    struct place *places = sort(counted, count);
    struct choice c = {places, count, pot_calloc(count, sizeof(bool))};
    *out = (struct parts){.are_in = pot_calloc(count, sizeof(bool))};
    for (size_t i = 0; source->find != NULL && i < count; i++) {
        if (c.are_seen[i] ||
            !source->find(source->context, &counted[i], &part)) {
            continue;
        }
        if (is_whole(&c, &part)) {
            add(out, &c, &part);
        } else {
            free(part.members);
        }
    }
    free(c.are_seen);
    free(places);
}

void parts_fini(struct parts *parts)
{
    for (size_t i = 0; i < parts->count; i++) {
        free(parts->list[i].members);
    }
    free(parts->list);
    free(parts->are_in);
}
