/* client: requests to a node's HTTP API, by libcurl. */
#ifndef POT_CTL_CLIENT_H
#define POT_CTL_CLIENT_H

#include <jansson.h>
#include <stddef.h>

#include "base/buf.h"
#include "ctl/ctl.h"

/* No answer of a node may be longer. */
#define CLIENT_BYTES_MAX (260 << 20)

struct client_reply {
    long status;     /* 200 ... */
    json_t *json;    /* what came with it; NULL if it was no JSON */
    struct buf body; /* its bytes */
};

void client_reply_fini(struct client_reply *reply);

/* client_ask: one request.  method is GET, POST or PUT; data goes with the
 * latter two; the path begins with "/".
 *
 * Out:    reply, client_reply_fini releases it
 * Errors: EXIT_CODE_CONNECT, EXIT_CODE_TIMEOUT, EXIT_CODE_USAGE (the URL),
 * EXIT_CODE_FAILED; any HTTP status is EXIT_CODE_DONE */
POT_MUST_USE enum exit_code client_ask(struct client_reply *reply,
                                       struct ctl *ctl, const char *method,
                                       const char *path, const void *data,
                                       size_t size);

/* client_get: GET of a path built by format; *out is the JSON of a 200,
 * json_decref.  Errors: any other answer is an error too. */
POT_MUST_USE enum exit_code client_get(json_t **out, struct ctl *ctl,
                                       const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* client_refused: notes what an answer that was no success says. */
enum exit_code client_refused(struct ctl *ctl, const struct client_reply *reply,
                              const char *what);

/* client_missing: the same of the GET of a path, whose hash may be something
 * else's: that is asked for, and said. */
enum exit_code client_missing(struct ctl *ctl, const struct client_reply *reply,
                              const char *path);

/* client_close: NULL is fine. */
void client_close(struct client *client);

/* client_text, client_count, client_units: a member of an
 * answer as text ("" if there is none), as a number (0), as an amount in base
 * units, which stands as text (0). */
const char *client_text(const json_t *object, const char *key);
uint64_t client_count(const json_t *object, const char *key);
uint64_t client_units(const json_t *object, const char *key);

#endif
