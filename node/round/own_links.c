#include "config.h"

#include "node/round/own_links.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/key.h"
#include "base/limits.h"
#include "base/map.h"
#include "proto/draw.h"

#include <stdlib.h>

/* Every so many links of a task one is kept. */
#define STRIDE 1000
/* Those that run, and as many that are over. */
#define TASKS_HELD ((size_t)2 * TASKS_RUNNING_MAX)

/* The secret, the link STRIDE steps before it, and so on. */
struct milestones {
    uint32_t rounds;
    struct hash links[];
};

struct own_links {
    const struct key *key;
    const struct hash *chain;
    const char *what;
    struct map tasks; /* task -> struct milestones */
};

struct own_links *own_links_new(const struct key *key, const struct hash *chain,
                                const char *what)
{
    struct own_links *links = pot_calloc(1, sizeof(*links));
    links->key = key;
    links->chain = chain;
    links->what = what;
    return links;
}

void own_links_free(struct own_links *links)
{
    if (links != NULL) {
        map_fini_free(&links->tasks);
        free(links);
    }
}

static struct milestones *walk(const struct own_links *links,
                               const struct hash *task, uint32_t rounds)
{
    struct signature signature;
    if (!key_sign(&signature, links->key, links->what, links->chain, task->b,
                  HASH_SIZE)) {
        return NULL;
    }
    uint32_t count = rounds / STRIDE + 1;
    struct milestones *m =
        pot_calloc(1, sizeof(*m) + count * sizeof(*m->links));
    m->rounds = rounds;
    hash_bytes(&m->links[0], "draw-secret", signature.b, SIGNATURE_SIZE);
    for (uint32_t i = 1; i < count; i++) {
        draw_walk(&m->links[i], &m->links[i - 1], STRIDE);
    }
    return m;
}

bool own_links_get(struct own_links *links, const struct hash *task,
                   uint32_t rounds, uint32_t round, struct hash *out)
{
    POT_ASSERT(round <= rounds);
    struct milestones *m = map_get(&links->tasks, task->b);
    if (m == NULL) {
        m = walk(links, task, rounds);
        if (m == NULL) {
            return false;
        }
        if (links->tasks.count == TASKS_HELD) {
            map_fini_free(&links->tasks);
        }
        (void)map_put(&links->tasks, task->b, m);
    }
    POT_ASSERT(m->rounds == rounds);
    uint32_t steps = rounds - round;
    draw_walk(out, &m->links[steps / STRIDE], steps % STRIDE);
    return true;
}
