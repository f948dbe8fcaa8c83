/* net_address: host and port, as text and as the sockets have it. */
#ifndef POT_P2P_NET_ADDRESS_H
#define POT_P2P_NET_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/key.h"

#define NET_HOST_MAX  253                 /* a DNS name */
#define NET_IP_SIZE   46                  /* an IPv6 address and a NUL */
#define NET_NAME_SIZE (NET_HOST_MAX + 16) /* "[host]:port" and a NUL */

struct sockaddr;
struct sockaddr_storage;

/* A configured peer: whom to expect, and where. */
struct net_address {
    struct public_key key;
    char host[NET_HOST_MAX + 1]; /* a name, an IPv4 or an IPv6 address */
    uint16_t port;
};

bool net_address_equal(const struct net_address *a,
                       const struct net_address *b);

/* net_address_split: "host:port", IPv6 in brackets.
 *
 * Out:    host, port; undefined after an error
 * Errors: POT_EFORMAT */
POT_MUST_USE enum pot_err net_address_split(char host[static NET_HOST_MAX + 1],
                                            uint16_t *port, const char *text);

/* net_address_join: the reverse; cut if size is too small. */
void net_address_join(char *text, size_t size, const char *host, uint16_t port);

/* net_address_numeric: false: the host is a name, to be resolved. */
bool net_address_numeric(struct sockaddr_storage *out, const char *host,
                         uint16_t port);

/* net_address_listen: where to listen: an IP address, or localhost, and a port,
 * 0 for any.  Errors: POT_EFORMAT */
POT_MUST_USE enum pot_err net_address_listen(struct sockaddr_storage *out,
                                             const char *text);

/* Of an IPv4 or IPv6 address; anything else has the ip "" and the port 0. */
void net_address_ip(char ip[static NET_IP_SIZE],
                    const struct sockaddr *address);
uint16_t net_address_port(const struct sockaddr *address);

/* net_address_is_loopback: of what net_address_ip said. */
bool net_address_is_loopback(const char *ip);

#endif
