#include "config.h"

#include "node/round/group_early.h"

#include "base/alloc.h"
#include "proto/group.h"

struct early_words {
    struct group_word list[GROUP_EARLY_MAX];
    size_t count; /* that came; the last ones are there */
};

void group_early_fini(struct group_early *early)
{
    map_fini_free(&early->words);
}

void group_early_keep(struct group_early *early, const struct group_word *word)
{
    struct early_words *of = map_get(&early->words, word->validator.b);
    if (of == NULL) {
        of = pot_calloc(1, sizeof(*of));
        (void)map_put(&early->words, word->validator.b, of);
    }
    of->list[of->count++ % GROUP_EARLY_MAX] = *word;
}

void group_early_replay(
    const struct group_early *early, const struct hash *group,
    void (*take)(void *context, const struct group_word *word), void *context)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&early->words, &cursor)) != NULL) {
        const struct early_words *of = slot->value;
        for (size_t i = 0; i < of->count && i < GROUP_EARLY_MAX; i++) {
            if (hash_equal(&of->list[i].group, group)) {
                take(context, &of->list[i]);
            }
        }
    }
}
