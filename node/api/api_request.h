/* api_request: one HTTP request from its first line to its reply.
 *
 * A handler either replies before it returns, or has arranged that somebody
 * replies later, on the loop.  Handlers of routes with is_off_loop run on
 * another thread: they read what the node holds, the request and its tip,
 * nothing else of the node, and reply before they return. */
#ifndef POT_NODE_API_API_REQUEST_H
#define POT_NODE_API_API_REQUEST_H

#include <jansson.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/key.h"
#include "node/api/api_config.h"
#include "node/api/api_url.h"
#include "node/block/chain.h"
#include "node/hold/stored.h"
#include "node/loop/offload.h"

struct api_history;
struct api_queue;
struct api_route;
struct api_server;
struct api_streams;
struct store;

/* Transactions that came together: their receipts are gathered. */
struct api_batch {
    size_t count;
    size_t answered;
    size_t accepted;
    size_t known; /* of these */
    json_t
        *refused; /* the first of them; NULL: none, or it went into the reply */
};

struct api_request {
    /* What a handler may use; off the loop, of config what its header says. */
    const struct api_config *config;
    const struct api_history *history;
    struct api_server *server;
    struct api_streams *streams;

    struct MHD_Connection *connection;
    const struct api_route *route; /* NULL: none fits */
    enum pot_err url_err;
    struct api_url url;
    char args[API_ARGS_MAX][API_ARG_SIZE];
    struct buf body;
    struct chain_tip tip;    /* when it was handed to its handler */
    bool has_tip;            /* it was */
    bool is_synced;          /* likewise: no peer was known to be ahead */
    struct stored_view view; /* what api_state read, and how it went */
    json_t *prepared;        /* set by the route's prepare; NULL: nothing */
    const char *dropped_why; /* the same; static */
    bool is_begun;           /* its headers were looked at */
    struct api_batch batch;

    bool is_suspended;             /* it waits for its reply */
    bool is_off_loop;              /* ...from a thread of the pool */
    bool is_stream;                /* its reply has no end */
    unsigned status;               /* of response */
    struct MHD_Response *response; /* NULL: none yet */

    struct api_queue *queue; /* see node/api/api_queue.h */
    struct offload work;
    struct api_request *next;
    struct api_request *next_open; /* see node/api/api.c */
};

/* ---- replying: exactly one of these a request */

/* api_reply_json: takes json. */
void api_reply_json(struct api_request *request, unsigned status, json_t *json);
void api_reply_empty(struct api_request *request, unsigned status);

/* api_reply_bytes: takes what is in body; type is a static text. */
void api_reply_bytes(struct api_request *request, unsigned status,
                     const char *type, struct buf *body);

/* api_reply_error: {"error": {"code", "message"}}; code in snake_case. */
void api_reply_error(struct api_request *request, unsigned status,
                     const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* api_reply_store_error: for what reading the store came to. */
void api_reply_store_error(struct api_request *request, enum pot_err err,
                           const char *what);

/* api_reply_stopping: the node has no time for it any more. */
void api_reply_stopping(struct api_request *request);

/* api_reply_response: takes a response made by libmicrohttpd. */
void api_reply_response(struct api_request *request, unsigned status,
                        struct MHD_Response *response);

/* ---- reading it: each replies with an error and returns false when what it
 * is to read is malformed */

bool api_arg_hash(struct api_request *request, struct hash *out,
                  const char *text);
bool api_arg_address(struct api_request *request, struct public_key *out,
                     const char *text);
bool api_arg_u64(struct api_request *request, uint64_t *out, const char *key,
                 uint64_t max, uint64_t fallback);

/* api_arg_limit: "limit", at least 1; more than max counts as max. */
bool api_arg_limit(struct api_request *request, size_t *out, size_t max,
                   size_t fallback);

/* api_store: what the node has stored; any thread. */
/* api_state: the state at the tip.  When a read of it fails, whatever the
 * handler replies becomes an error. */
struct state api_state(struct api_request *request);

struct store *api_store(const struct api_request *request);

/* ---- the server's side */

/* api_request_wake: a reply came for a request that waits. */
void api_request_wake(struct api_request *request);

#endif
