/* api_route: what the API answers, a row a call.
 *
 * A file of handlers ends with its routes, and exports nothing else: a new
 * call is a row and a function there. */
#ifndef POT_NODE_API_API_ROUTE_H
#define POT_NODE_API_API_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

struct api_request;

#define API_PARAMETERS_MAX 4

/* Of the query. */
struct api_parameter {
    const char *name; /* NULL: no more */
    const char *type; /* "integer" or "string" */
    const char *summary;
};

#define API_LIMIT(max)                                                         \
    {                                                                          \
        "limit", "integer", "at most so many, up to " max                      \
    }
#define API_FROM(what)                                                         \
    {                                                                          \
        "from", "integer", what                                                \
    }

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
    bool is_index;      /* the index: not in itself; web pages replace it */
    void (*handler)(struct api_request *request);
    /* On the loop, before a handler off it; may be NULL. */
    void (*prepare)(struct api_request *request);
    struct api_parameter parameters[API_PARAMETERS_MAX];
};

/* By file; each ends with a row without a method.  Their order, and that of
 * the whole, is in node/api/api_table.c. */
extern const struct api_route api_account_routes[];
extern const struct api_route api_block_routes[];
extern const struct api_route api_chain_routes[];
extern const struct api_route api_consensus_routes[];
extern const struct api_route api_dataset_routes[];
extern const struct api_route api_events_routes[];
extern const struct api_route api_challenge_routes[];
extern const struct api_route api_evidence_routes[];
extern const struct api_route api_health_routes[];
extern const struct api_route api_peer_routes[];
extern const struct api_route api_reward_routes[];
extern const struct api_route api_staker_routes[];
extern const struct api_route api_status_routes[];
extern const struct api_route api_task_routes[];
extern const struct api_route api_tx_routes[];
extern const struct api_route metrics_routes[];

/* node/api/api_static.c: files of [api] web, for what no route answers. */
extern const struct api_route api_static_route;

#endif
