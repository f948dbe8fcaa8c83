/* potbench_http: HTTP/1.1 over a connection that stays open, one request at
 * a time, never blocking: the load is to cost little beside the nodes. */
#ifndef POT_TESTS_BENCH_POTBENCH_HTTP_H
#define POT_TESTS_BENCH_POTBENCH_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "ctl/ctl.h"

struct potbench_http {
    int fd; /* -1: closed */
    bool is_busy;
    struct buf in;
};

struct potbench_answer {
    int status;
    const char *body; /* in the connection's buffer, until the next request */
    size_t size;
};

/* potbench_http_open: url is "http://host:port".  Errors: EXIT_CODE_CONNECT.
 * potbench_http_close in any case. */
POT_MUST_USE enum exit_code potbench_http_open(struct potbench_http *http,
                                               struct ctl *ctl,
                                               const char *url);
void potbench_http_close(struct potbench_http *http);

/* potbench_http_post: sends the request; false: the connection broke. */
POT_MUST_USE bool potbench_http_post(struct potbench_http *http,
                                     const char *path, const void *data,
                                     size_t size);

/* potbench_http_read: 1: *answer is there and the connection idle again;
 * 0: not yet; -1: the connection broke. */
POT_MUST_USE int potbench_http_read(struct potbench_http *http,
                                    struct potbench_answer *answer);

/* potbench_http_get: asks for a path, a stream of events too.
 * potbench_http_event: the next event's data (NUL-terminated JSON) like
 * potbench_http_read; name is what kind it is. */
POT_MUST_USE bool potbench_http_get(struct potbench_http *http,
                                    const char *path);
POT_MUST_USE int potbench_http_event(struct potbench_http *http,
                                     char name[static 16], struct buf *data);

#endif
