/* hearers: who hears what a node gossips, over real connections: a fellow, as
 * validators are to each other, and one of many that follow the chain. */
#ifndef POT_TESTS_UNIT_HEARERS_H
#define POT_TESTS_UNIT_HEARERS_H

#include "p2p/gossip.h"
#include "tests/unit/p2p_nodes.h"

enum hearer { HEARER_SELF, HEARER_FELLOW, HEARER_FOLLOWER, HEARERS };

struct hearers {
    struct world world;
    struct gossip *gossip; /* HEARER_SELF's */
    /* What one of the others hears. */
    void (*on_heard)(void *context, enum hearer who, uint8_t type,
                     const uint8_t *data, size_t size);
    void *context;
};

/* hearers_open: all are connected; on_heard and context are set before. */
void hearers_open(struct hearers *h);
void hearers_close(struct hearers *h);

/* hearers_id: under which HEARER_SELF knows one of the others. */
uint64_t hearers_id(struct hearers *h, enum hearer who);

/* hearers_settle: all that was told until now has been heard. */
void hearers_settle(struct hearers *h);

#endif
