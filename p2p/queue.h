/* queue: what waits to be sent to one peer, in order of priority, each
 * priority under its own cap.  A message that goes to many is held once.
 * The loop alone. */
#ifndef POT_P2P_QUEUE_H
#define POT_P2P_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "p2p/message.h"

/* A message to be sent, with counted references. */
struct parcel {
    size_t references;
    uint8_t type;
    size_t size;
    uint8_t data[];
};

/* parcel_new: a copy of data, one reference held. */
struct parcel *parcel_new(uint8_t type, const void *data, size_t size);
void parcel_unref(struct parcel *parcel);

struct queue_entry; /* opaque: p2p/queue.c */

struct queue {
    struct {
        struct queue_entry *first;
        struct queue_entry *last;
        size_t bytes; /* <= bytes_max */
        size_t bytes_max;
    } lines[PRIORITY_COUNT];
};

/* queue_init: bytes_max caps each line.  queue_fini drops what waits. */
void queue_init(struct queue *queue,
                const size_t bytes_max[static PRIORITY_COUNT]);
void queue_fini(struct queue *queue);

/* queue_push: takes a reference of its own; false when the type's line is
 * full, and nothing is changed. */
bool queue_push(struct queue *queue, struct parcel *parcel);

/* queue_pop: the first of the highest priority, whose reference is now the
 * caller's; NULL when empty. */
struct parcel *queue_pop(struct queue *queue);

/* queue_cost: what a message counts against the caps. */
size_t queue_cost(size_t size);

/* queue_bytes: the cost of all that waits. */
size_t queue_bytes(const struct queue *queue);

#endif
