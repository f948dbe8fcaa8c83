/* Any text as a request's first line, Host, Origin and listen address: what
 * is taken keeps the rules that the rest of the API relies on. */
#include "config.h"

#include "base/alloc.h"
#include "base/check.h"
#include "node/api/api_url.h"
#include "p2p/net_address.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_url(const char *text)
{
    struct api_url url;
    char args[API_ARGS_MAX][API_ARG_SIZE];
    char value[API_VALUE_SIZE];
    uint64_t number;
    if (api_url_parse(&url, text) != POT_OK) {
        return;
    }
    POT_ASSERT(url.path[0] == '/');
    if (api_url_match("/v1/{a}/chunks/{b}", url.path, args)) {
        POT_ASSERT(args[0][0] != '\0' && strchr(args[1], '/') == NULL);
    }
    if (api_query_text(url.query, "from", value)) {
        POT_ASSERT(strlen(value) < API_VALUE_SIZE);
    }
    if (api_query_u64(&number, url.query, "limit", 100, 7) == POT_OK) {
        POT_ASSERT(number <= 100);
    }
    if (api_path_is_safe(url.path + 1)) {
        POT_ASSERT(strstr(url.path, "/../") == NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sockaddr_storage address;
    char *text = pot_alloc(size + 1);
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    check_url(text);
    if (api_host_is_local(text)) {
        POT_ASSERT(strstr(text, "evil") == NULL);
    }
    (void)api_origin_is_host(text, "localhost:1");
    if (net_address_listen(&address, text) == POT_OK) {
        POT_ASSERT(address.ss_family == AF_INET ||
                   address.ss_family == AF_INET6);
    }
    free(text);
    return 0;
}
