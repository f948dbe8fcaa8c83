#include "config.h"

#include "node/api/api_url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes %XX in size bytes; + too, where is_query.  False: a bad escape, a
 * control byte, or no room. */
static bool decode(char *out, size_t out_size, const char *in, size_t size,
                   bool is_query)
{
    size_t used = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)in[i];
        if (c == '%') {
            int high = i + 2 < size ? hex_digit(in[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(in[i + 2]) : -1;
            if (low < 0) {
                return false;
            }
            c = (unsigned char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && is_query) {
            c = ' ';
        }
        if (c < 0x20 || c == 0x7f || used + 1 >= out_size) {
            return false;
        }
        out[used++] = (char)c;
    }
    out[used] = '\0';
    return true;
}

enum pot_err api_url_parse(struct api_url *out, const char *raw)
{
    size_t path_size = strcspn(raw, "?#");
    const char *query = raw[path_size] == '?' ? raw + path_size + 1 : "";
    size_t query_size = strcspn(query, "#");
    *out = (struct api_url){0};
    if (path_size > API_PATH_MAX || query_size > API_QUERY_MAX) {
        return POT_ELIMIT;
    }
    if (raw[0] != '/' ||
        !decode(out->path, sizeof(out->path), raw, path_size, false)) {
        out->path[0] = '\0';
        return POT_EFORMAT;
    }
    memcpy(out->query, query, query_size);
    return POT_OK;
}

bool api_url_match(const char *pattern, const char *path,
                   char args[static API_ARGS_MAX][API_ARG_SIZE])
{
    size_t arg = 0;
    while (*pattern != '\0' && *path != '\0') {
        if (*pattern != '{') {
            if (*pattern++ != *path++) {
                return false;
            }
            continue;
        }
        size_t size = strcspn(path, "/");
        if (size == 0 || size >= API_ARG_SIZE || arg == API_ARGS_MAX) {
            return false;
        }
        memcpy(args[arg], path, size);
        args[arg++][size] = '\0';
        path += size;
        pattern += strcspn(pattern, "}") + 1;
    }
    return *pattern == '\0' && *path == '\0';
}

bool api_query_text(const char *query, const char *key,
                    char value[static API_VALUE_SIZE])
{
    size_t key_size = strlen(key);
    value[0] = '\0';
    while (*query != '\0') {
        size_t size = strcspn(query, "&");
        if (size > key_size && query[key_size] == '=' &&
            memcmp(query, key, key_size) == 0) {
            bool is_good = decode(value, API_VALUE_SIZE, query + key_size + 1,
                                  size - key_size - 1, true);
            if (!is_good) {
                value[0] = '\0';
            }
            return is_good;
        }
        query += size;
        query += *query == '&' ? 1 : 0;
    }
    return false;
}

enum pot_err api_parse_u64(uint64_t *out, const char *text)
{
    uint64_t value = 0;
    if (*text == '\0' || strlen(text) > 20) {
        return POT_EFORMAT;
    }
    for (; *text != '\0'; text++) {
        uint64_t digit = (uint64_t)(*text - '0');
        if (*text < '0' || *text > '9' || value > (UINT64_MAX - digit) / 10) {
            return POT_EFORMAT;
        }
        value = value * 10 + digit;
    }
    *out = value;
    return POT_OK;
}

/* Whether the key stands in the query at all, well formed or not. */
static bool has_key(const char *query, const char *key)
{
    size_t size = strlen(key);
    for (const char *at = query; at != NULL; at = strchr(at, '&')) {
        at += *at == '&' ? 1 : 0;
        if (strncmp(at, key, size) == 0 &&
            (at[size] == '=' || at[size] == '&' || at[size] == '\0')) {
            return true;
        }
    }
    return false;
}

enum pot_err api_query_u64(uint64_t *out, const char *query, const char *key,
                           uint64_t max, uint64_t fallback)
{
    char text[API_VALUE_SIZE];
    uint64_t value;
    if (!api_query_text(query, key, text)) {
        *out = fallback;
        return has_key(query, key) ? POT_EFORMAT : POT_OK;
    }
    enum pot_err err = api_parse_u64(&value, text);
    if (err == POT_OK && value > max) {
        err = POT_ERANGE;
    }
    if (err == POT_OK) {
        *out = value;
    }
    return err;
}

/* The host part's size, without the port; 0: malformed. */
static size_t host_size(const char *host)
{
    size_t size = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    if (size > strlen(host)) {
        return 0;
    }
    const char *port = host + size;
    if (*port == ':') {
        port++;
        size_t digits = strspn(port, "0123456789");
        port += digits <= 5 ? digits : 0;
    }
    return *port == '\0' ? size : 0;
}

bool api_host_is_local(const char *host)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    size_t size = host_size(host);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (size == strlen(names[i]) &&
            strncasecmp(host, names[i], size) == 0) {
            return true;
        }
    }
    return false;
}

bool api_origin_is_host(const char *origin, const char *host)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
        size_t size = strlen(schemes[i]);
        if (strncmp(origin, schemes[i], size) == 0) {
            return strcasecmp(origin + size, host) == 0;
        }
    }
    return false;
}

bool api_address_is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof(in));
        return ntohl(in.sin_addr.s_addr) >> 24 == 127;
    }
    struct sockaddr_in6 in6;
    memcpy(&in6, address, sizeof(in6));
    return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
}

bool api_path_is_safe(const char *path)
{
    if (*path == '\0') {
        return false;
    }
    for (const char *part = path; part != NULL; part = strchr(part, '/')) {
        part += *part == '/' ? 1 : 0;
        if (*part == '.' || *part == '/' || *part == '\0') {
            return false;
        }
    }
    return path[0] != '/' && strchr(path, '\\') == NULL;
}
