/* api_job: requests that are answered off the loop, in lanes: so many at a
 * time, the others wait. */
#ifndef POT_NODE_API_API_JOB_H
#define POT_NODE_API_API_JOB_H

#include <stddef.h>

struct api;
struct api_request;

struct api_lane {
    struct api_request *first;
    struct api_request *last;
    unsigned running;
    unsigned running_max;
};

/* api_job_add: its route's handler runs on a thread; it is woken after. */
void api_job_add(struct api *api, struct api_lane *lane,
                 struct api_request *request);

/* api_job_drop: those that wait are answered with 503. */
void api_job_drop(struct api_lane *lane);

#endif
