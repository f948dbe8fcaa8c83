#include "config.h"

#include "p2p/net_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

enum pot_err address_split(char host[static NET_HOST_MAX + 1], uint16_t *port,
                           const char *text)
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
    enum pot_err err = port_parse(port, colon + 1);
    if (err == POT_OK) {
        memcpy(host, first, size);
        host[size] = '\0';
    }
    return err;
}

enum pot_err net_address_parse(struct net_address *out, const char *text)
{
    struct net_address address = {0};
    char key[ADDRESS_TEXT_SIZE];
    const char *at = strchr(text, '@');
    if (at == NULL || (size_t)(at - text) >= sizeof(key)) {
        return POT_EFORMAT;
    }
    memcpy(key, text, (size_t)(at - text));
    key[at - text] = '\0';
    enum pot_err err = address_parse(&address.key, key);
    if (err == POT_OK) {
        err = address_split(address.host, &address.port, at + 1);
    }
    if (err == POT_OK && address.port == 0) {
        err = POT_EFORMAT;
    }
    if (err == POT_OK) {
        *out = address;
    }
    return err;
}

bool address_numeric(struct sockaddr_storage *out, const char *host,
                     uint16_t port)
{
    memset(out, 0, sizeof(*out));
    return uv_ip4_addr(host, port, (struct sockaddr_in *)out) == 0 ||
           uv_ip6_addr(host, port, (struct sockaddr_in6 *)out) == 0;
}

void address_ip(char ip[static NET_IP_SIZE], const struct sockaddr *address)
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

bool address_is_loopback(const struct sockaddr *address)
{
    char ip[NET_IP_SIZE];
    address_ip(ip, address);
    return strncmp(ip, "127.", 4) == 0 || strcmp(ip, "::1") == 0 ||
           strncmp(ip, "::ffff:127.", 11) == 0;
}

void address_name(char *text, size_t size, const struct sockaddr *address)
{
    char ip[NET_IP_SIZE];
    unsigned port = 0;
    address_ip(ip, address);
    if (address->sa_family == AF_INET) {
        port = ntohs(
            ((const struct sockaddr_in *)(const void *)address)->sin_port);
    } else if (address->sa_family == AF_INET6) {
        port = ntohs(
            ((const struct sockaddr_in6 *)(const void *)address)->sin6_port);
    }
    bool is_v6 = strchr(ip, ':') != NULL;
    (void)snprintf(text, size, is_v6 ? "[%s]:%u" : "%s:%u", ip, port);
}
