#include "config.h"

#include "node/api/api_job.h"

#include "base/alloc.h"
#include "base/check.h"
#include "node/api/api_request.h"
#include "node/api/api_route.h"
#include "node/api/api_server.h"
#include "node/node.h"

#include <stdlib.h>

struct job {
    uv_work_t work;
    struct api *api;
    struct api_lane *lane;
    struct api_request *request;
};

static void start(struct api *api, struct api_lane *lane);

static void on_work(uv_work_t *work)
{
    struct job *job = work->data;
    job->request->route->handler(job->request);
}

static void on_worked(uv_work_t *work, int status)
{
    struct job *job = work->data;
    struct api *api = job->api;
    struct api_lane *lane = job->lane;
    POT_ASSERT(status == 0);
    POT_ASSERT(job->request->response != NULL);
    lane->running--;
    job->request->is_off_loop = false;
    api_request_wake(job->request);
    free(job);
    start(api, lane);
    api_settled(api);
}

static void start(struct api *api, struct api_lane *lane)
{
    while (lane->first != NULL && lane->running < lane->running_max) {
        struct job *job = pot_calloc(1, sizeof(*job));
        job->work.data = job;
        job->api = api;
        job->lane = lane;
        job->request = lane->first;
        lane->first = job->request->next;
        job->request->next = NULL;
        lane->running++;
        int rc =
            uv_queue_work(&api->node->loop, &job->work, on_work, on_worked);
        POT_ASSERT(rc == 0);
    }
}

void api_job_add(struct api *api, struct api_lane *lane,
                 struct api_request *request)
{
    POT_ASSERT(request->next == NULL);
    request->is_off_loop = true;
    if (lane->first == NULL) {
        lane->first = request;
    } else {
        lane->last->next = request;
    }
    lane->last = request;
    start(api, lane);
}

void api_job_drop(struct api_lane *lane)
{
    while (lane->first != NULL) {
        struct api_request *request = lane->first;
        lane->first = request->next;
        request->next = NULL;
        request->is_off_loop = false;
        api_reply_error(request, 503, "stopping", "the node is stopping");
    }
}
