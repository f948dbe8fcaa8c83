/* api_url: what a request's first line and headers say, taken apart.
 *
 * All of it comes from strangers; nothing here trusts its length or its
 * bytes. */
#ifndef POT_NODE_API_API_URL_H
#define POT_NODE_API_API_URL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define API_PATH_MAX   512
#define API_QUERY_MAX  1024
#define API_VALUE_SIZE 160 /* of the query, with its end */
#define API_ARGS_MAX   2
#define API_ARG_SIZE   160 /* of the path, with its end */

struct api_url {
    char path[API_PATH_MAX + 1];   /* decoded, begins with / */
    char query[API_QUERY_MAX + 1]; /* as it came, without the ? */
};

/* api_url_parse: Errors: POT_ELIMIT too long; POT_EFORMAT no path, or a byte
 * that a path here never has (NUL and other controls, bad escapes). */
POT_MUST_USE enum pot_err api_url_parse(struct api_url *out, const char *raw);

/* api_url_match: whether path fits a pattern such as "/v1/blocks/{block}";
 * each {…} takes one non-empty part of the path into args. */
bool api_url_match(const char *pattern, const char *path,
                   char args[static API_ARGS_MAX][API_ARG_SIZE]);

/* api_query_text: the decoded value of a key; false, and an empty text, when
 * it is not there, or too long. */
bool api_query_text(const char *query, const char *key,
                    char value[static API_VALUE_SIZE]);

/* api_query_u64: *out is fallback when the key is not there.
 * Errors: POT_EFORMAT no decimal number; POT_ERANGE beyond max. */
POT_MUST_USE enum pot_err api_query_u64(uint64_t *out, const char *query,
                                        const char *key, uint64_t max,
                                        uint64_t fallback);

/* api_parse_u64: decimal digits and nothing else.  Errors: POT_EFORMAT. */
POT_MUST_USE enum pot_err api_parse_u64(uint64_t *out, const char *text);

/* api_host_is_local: whether a Host header names this machine by a name that
 * no DNS server decides on: localhost, 127.0.0.1, [::1], with any port.  A
 * web page can make a browser send anything else here. */
bool api_host_is_local(const char *host);

/* api_origin_is_host: whether an Origin header is a page of this host. */
bool api_origin_is_host(const char *origin, const char *host);

bool api_address_is_loopback(const struct sockaddr_storage *address);

/* api_path_is_safe: of relative parts only, none of them hidden or "..". */
bool api_path_is_safe(const char *path);

#endif
