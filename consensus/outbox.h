/* outbox: own signed messages that wait for the record that holds them. */
#ifndef POT_CONSENSUS_OUTBOX_H
#define POT_CONSENSUS_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/vote.h"

struct outbox_item {
    uint64_t sequence; /* of the record; no less than those before it */
    uint8_t *bytes;    /* the ConsensusMessage */
    size_t size;
    bool is_vote; /* else it is a view change */
    uint64_t height;
    uint64_t view;
    struct vote vote; /* is_vote */
    struct signature signature;
};

/* A zeroed struct is empty; items stand in the order of their sequence. */
struct outbox {
    struct outbox_item *items;
    size_t count;
    size_t capacity;
    uint64_t sequence; /* of the last record asked for */
    uint64_t durable;  /* of the last one that is durable */
};

/* outbox_add: waits for its record; takes item.bytes. */
void outbox_add(struct outbox *outbox, const struct outbox_item *item);

/* outbox_take: the first item whose record is durable, if there is one; its
 * bytes then belong to the caller. */
bool outbox_take(struct outbox *outbox, struct outbox_item *item);

void outbox_fini(struct outbox *outbox);

#endif
