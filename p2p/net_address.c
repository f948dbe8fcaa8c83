#include "config.h"

#include "p2p/net_address.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

bool net_address_equal(const struct net_address *a, const struct net_address *b)
{
    return public_key_equal(&a->key, &b->key) && a->port == b->port &&
           strcmp(a->host, b->host) == 0;
}

static enum pot_err port_parse(uint16_t *out, const char *text)
{
    uint32_t port = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 5 || text[digits] != '\0') {
        return POT_EFORMAT;
    }
    for (size_t i = 0; i < digits; i++) {
        port = 10 * port + (uint32_t)(text[i] - '0');
    }
    if (port > UINT16_MAX) {
        return POT_EFORMAT;
    }
    *out = (uint16_t)port;
    return POT_OK;
}

enum pot_err net_address_split(char host[static NET_HOST_MAX + 1],
                               uint16_t *port, const char *text)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL) {
        return POT_EFORMAT;
    }
    const char *first = text;
    size_t size = (size_t)(colon - text);
    if (size >= 2 && text[0] == '[' && text[size - 1] == ']') {
        first++;
        size -= 2;
    } else if (memchr(text, ':', size) != NULL) {
        return POT_EFORMAT; /* IPv6 without brackets */
    }
    if (size == 0 || size > NET_HOST_MAX) {
        return POT_EFORMAT;
    }
    memcpy(host, first, size);
    host[size] = '\0';
    return port_parse(port, colon + 1);
}

void net_address_join(char *text, size_t size, const char *host, uint16_t port)
{
    bool is_v6 = strchr(host, ':') != NULL;
    (void)snprintf(text, size, is_v6 ? "[%s]:%u" : "%s:%u", host,
                   (unsigned)port);
}

bool net_address_numeric(struct sockaddr_storage *out, const char *host,
                         uint16_t port)
{
    memset(out, 0, sizeof(*out));
    return uv_ip4_addr(host, port, (struct sockaddr_in *)out) == 0 ||
           uv_ip6_addr(host, port, (struct sockaddr_in6 *)out) == 0;
}

enum pot_err net_address_listen(struct sockaddr_storage *out, const char *text)
{
    char host[NET_HOST_MAX + 1];
    uint16_t port = 0;
    if (net_address_split(host, &port, text) != POT_OK) {
        return POT_EFORMAT;
    }
    const char *ip = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
    return net_address_numeric(out, ip, port) ? POT_OK : POT_EFORMAT;
}

void net_address_ip(char ip[static NET_IP_SIZE], const struct sockaddr *address)
{
    int rc = UV_EINVAL;
    if (address->sa_family == AF_INET) {
        rc = uv_ip4_name((const struct sockaddr_in *)(const void *)address, ip,
                         NET_IP_SIZE);
    } else if (address->sa_family == AF_INET6) {
        rc = uv_ip6_name((const struct sockaddr_in6 *)(const void *)address, ip,
                         NET_IP_SIZE);
    }
    if (rc != 0) {
        ip[0] = '\0';
    }
}

uint16_t net_address_port(const struct sockaddr *address)
{
    const void *any = address;
    if (address->sa_family == AF_INET) {
        return ntohs(((const struct sockaddr_in *)any)->sin_port);
    }
    if (address->sa_family == AF_INET6) {
        return ntohs(((const struct sockaddr_in6 *)any)->sin6_port);
    }
    return 0;
}

bool net_address_is_loopback(const char *ip)
{
    return strncmp(ip, "127.", 4) == 0 || strcmp(ip, "::1") == 0 ||
           strncmp(ip, "::ffff:127.", 11) == 0;
}
