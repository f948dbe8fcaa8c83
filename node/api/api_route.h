/* api_route: the table of everything the API answers.
 *
 * A new call is an entry here and a function in a node/api_*.c. */
#ifndef POT_NODE_API_API_ROUTE_H
#define POT_NODE_API_API_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "node/api/api_request.h"

#define API_PARAMETERS_MAX 4

/* Of the query. */
struct api_parameter {
    const char *name; /* NULL: no more */
    const char *type; /* "integer" or "string" */
    const char *summary;
};

struct api_route {
    const char *method; /* GET answers HEAD too */
    const char *path;   /* first match wins */
    const char *summary;
    const char *answer; /* what its successful reply holds */
    const char *type;   /* of that reply; NULL: JSON */
    unsigned status;    /* of that reply */
    size_t body_max;    /* 0: it takes no body */
    bool is_off_loop;   /* the handler runs on a thread of the pool... */
    bool is_writing;    /* ...one such at a time */
    bool is_unlisted;   /* left out of the index */
    void (*handler)(struct api_request *request);
    /* On the loop, before a handler off it; may be NULL. */
    void (*prepare)(struct api_request *request);
    struct api_parameter parameters[API_PARAMETERS_MAX];
};

extern const struct api_route api_routes[];
extern const size_t api_route_count;

/* api_route_find: fills request's route and args from its path.
 *
 * Out: allow  "GET, HEAD" and so on, of all routes with this path; "" none */
void api_route_find(struct api_request *request, const char *method,
                    char allow[static 64]);

/* api_route_openapi: the table as an OpenAPI 3.0 document. */
json_t *api_route_openapi(void);

/* api_route_index: the table as a page. */
void api_route_index(struct buf *out);

/* ---- the handlers, by file */

/* node/api/api_status.c */
void api_get_index(struct api_request *request);
void api_get_openapi(struct api_request *request);
void api_get_status(struct api_request *request);
void api_get_live(struct api_request *request);
void api_get_ready(struct api_request *request);
void api_get_metrics(struct api_request *request);
void api_get_peers(struct api_request *request);

/* node/api/api_chain.c */
void api_get_block(struct api_request *request);
void api_get_blocks(struct api_request *request);
void api_get_block_raw(struct api_request *request);
void api_get_blocks_raw(struct api_request *request);
void api_get_params(struct api_request *request);
void api_get_proof(struct api_request *request);

/* node/api/api_tx.c */
void api_get_tx(struct api_request *request);
void api_prepare_tx(struct api_request *request);
void api_post_tx(struct api_request *request);

/* node/api/api_account.c */
void api_get_account(struct api_request *request);
void api_get_validators(struct api_request *request);
void api_get_miners(struct api_request *request);
void api_get_rewards(struct api_request *request);

/* node/api/api_task.c */
void api_get_task(struct api_request *request);
void api_get_tasks(struct api_request *request);
void api_get_parameters(struct api_request *request);
void api_get_rounds(struct api_request *request);

/* node/api/api_dataset.c */
void api_get_dataset(struct api_request *request);
void api_post_dataset(struct api_request *request);
void api_put_chunk(struct api_request *request);

/* node/api/api_events.c */
void api_get_events(struct api_request *request);

/* node/api/api_static.c: files of [api] web, for what no route answers. */
bool api_has_web(const struct api_request *request);
void api_get_static(struct api_request *request);

#endif
