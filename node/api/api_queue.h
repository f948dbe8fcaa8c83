/* api_queue: requests whose handlers run off the loop: so many at a time,
 * the others wait. */
#ifndef POT_NODE_API_API_QUEUE_H
#define POT_NODE_API_API_QUEUE_H

#include <uv.h>

struct api_request;

struct api_queue {
    uv_loop_t *loop;
    unsigned running;
    unsigned running_max;
    struct api_request *first; /* of those that wait */
    struct api_request *last;
    void (*settled)(void *context); /* a handler has ended */
    void *context;
};

/* api_queue_add: its route's handler runs on a thread; it is woken after. */
void api_queue_add(struct api_queue *queue, struct api_request *request);

/* api_queue_drop: those that wait are answered with 503. */
void api_queue_drop(struct api_queue *queue);

#endif
