#include "config.h"

#include "node/api/api_queue.h"

#include "base/check.h"
#include "node/api/api_request.h"
#include "node/api/api_route.h"

static void start(struct api_queue *queue);

static void on_work(void *context)
{
    struct api_request *request = context;
    request->route->handler(request);
}

static void on_worked(void *context)
{
    struct api_request *request = context;
    struct api_queue *queue = request->queue;
    queue->running--;
    request->is_off_loop = false;
    api_request_wake(request);
    start(queue);
    queue->settled(queue->context);
}

static struct api_request *take_first(struct api_queue *queue)
{
    struct api_request *request = queue->first;
    queue->first = request->next;
    request->next = NULL;
    return request;
}

static void start(struct api_queue *queue)
{
    while (queue->first != NULL && queue->running < queue->running_max) {
        struct api_request *request = take_first(queue);
        queue->running++;
        offload_start(&request->work, queue->loop, on_work, on_worked, request);
    }
}

void api_queue_add(struct api_queue *queue, struct api_request *request)
{
    POT_ASSERT(request->next == NULL);
    request->queue = queue;
    request->is_off_loop = true;
    if (queue->first == NULL) {
        queue->first = request;
    } else {
        queue->last->next = request;
    }
    queue->last = request;
    start(queue);
}

void api_queue_drop(struct api_queue *queue)
{
    while (queue->first != NULL) {
        struct api_request *request = take_first(queue);
        request->is_off_loop = false;
        api_reply_stopping(request);
    }
}
