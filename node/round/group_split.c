#include "config.h"

#include "node/round/group_split.h"

#include "node/round/group_heard.h"
#include "proto/round.h"

void group_split_fini(struct group_split *split)
{
    map_fini(&split->counted);
}

void group_split_count(struct group_split *split, const struct hash *counted,
                       size_t count)
{
    map_fini(&split->counted);
    for (size_t i = 0; i < count; i++) {
        (void)map_put(&split->counted, counted[i].b, split);
    }
}

static size_t count_counted(const struct group_split *split,
                            const struct group_heard *h)
{
    size_t counted = 0;
    for (size_t i = 0; i < h->group.member_count; i++) {
        bool is_open;
        const struct round_submission *s = group_heard_find(h, i, &is_open);
        counted +=
            s != NULL && map_get(&split->counted, s->hash.b) != NULL ? 1 : 0;
    }
    return counted;
}

/* Who has opened it needs nothing, and knows what others do. */
bool group_split_has(const struct group_split *split,
                     const struct group_heard *h)
{
    size_t counted =
        (h->state == VOUCHED || h->state == OPENED) && !h->is_dissolved
            ? count_counted(split, h)
            : 0;
    return counted > 0 && counted < h->group.member_count;
}
