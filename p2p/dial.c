/* A configured peer is dialled whenever it is not connected:
 *
 *   WAITING --time is up--> RESOLVING --on_resolved--> CONNECTING
 *   CONNECTING --dial_ended--> WAITING, longer after each failure
 *
 * Names are resolved anew each time, off the loop: a container that comes
 * back may have another address. */
#include "config.h"

#include "p2p/net_internal.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum dial_state {
    DIAL_WAITING,
    DIAL_RESOLVING,
    DIAL_CONNECTING, /* until its connection ends */
};

struct dial {
    struct net *net;
    struct net_address address;
    char name[NET_NAME_SIZE]; /* "host:port" */
    enum dial_state state;
    uint64_t next_ms;
    uint32_t failures; /* in a row */
    uint32_t turn;     /* which of a name's addresses comes next */
    uv_getaddrinfo_t request;
    bool is_forgotten; /* freed when the look-up returns */
    struct peer *peer;
};

struct dial *dial_new(struct net *net, const struct net_address *address)
{
    struct dial *dial = pot_calloc(1, sizeof(*dial));
    dial->net = net;
    dial->address = *address;
    bool is_v6 = strchr(address->host, ':') != NULL;
    (void)snprintf(dial->name, sizeof(dial->name), is_v6 ? "[%s]:%u" : "%s:%u",
                   address->host, (unsigned)address->port);
    return dial;
}

void dial_free(struct dial *dial, enum reason reason)
{
    dial->is_forgotten = true;
    if (dial->state == DIAL_RESOLVING) {
        (void)uv_cancel((uv_req_t *)&dial->request);
        return;
    }
    struct peer *peer = dial->peer;
    if (peer != NULL) {
        peer->dial = NULL;
        peer_close(peer, reason);
    }
    free(dial);
}

void dial_attach(struct dial *dial, struct peer *peer)
{
    POT_ASSERT(dial->peer == NULL);
    dial->peer = peer;
}

const struct net_address *dial_address(const struct dial *dial)
{
    return &dial->address;
}

struct dial *dial_find(const struct net *net, const struct public_key *key)
{
    for (size_t i = 0; i < net->dial_count; i++) {
        if (public_key_equal(&net->dials[i]->address.key, key)) {
            return net->dials[i];
        }
    }
    return NULL;
}

/* Doubles with each failure up to the cap, then loses up to a quarter by
 * lot: a network that starts at once does not dial at once for ever. */
static uint32_t retry_after(const struct dial *dial)
{
    const struct net_config *config = &dial->net->config;
    uint64_t ms = config->redial_min_ms;
    for (uint32_t i = 1; i < dial->failures && ms < config->redial_max_ms;
         i++) {
        ms *= 2;
    }
    if (ms > config->redial_max_ms) {
        ms = config->redial_max_ms;
    }
    return (uint32_t)ms - randombytes_uniform((uint32_t)(ms / 4) + 1);
}

static void log_failure(const struct dial *dial, enum reason reason,
                        const struct public_key *found)
{
    char expected[ADDRESS_TEXT_SIZE];
    char shown[ADDRESS_TEXT_SIZE] = "none";
    uint32_t n = dial->failures;
    if (n == 0 || (n & (n - 1)) != 0) {
        return; /* the 1st, 2nd, 4th, 8th... */
    }
    address_format(&dial->address.key, expected);
    if (found != NULL) {
        address_format(found, shown);
    }
    LOG(LOG_WARN, "p2p", "cannot reach peer", log_text("address", dial->name),
        log_text("why", reason_text(reason)), log_text("expected", expected),
        log_text("found", shown), log_u64("attempts", n));
}

static void report(struct dial *dial, enum reason reason,
                   const struct public_key *found, uint32_t retry_ms)
{
    const struct net_callbacks *callbacks = &dial->net->callbacks;
    struct net_address address = dial->address; /* dial may go meanwhile */
    struct net_dial_result result = {
        .address = &address,
        .reason = reason,
        .found = found,
        .failures = dial->failures,
        .retry_ms = retry_ms,
    };
    if (callbacks->on_dial != NULL) {
        callbacks->on_dial(callbacks->context, &result);
    }
}

void dial_up(struct dial *dial, const struct public_key *found)
{
    report(dial, REASON_NONE, found, 0);
}

/* A duplicate is a success: they are connected already. */
void dial_ended(struct dial *dial, enum reason reason,
                const struct public_key *found, bool was_settled)
{
    POT_ASSERT(!dial->is_forgotten);
    dial->peer = NULL;
    dial->state = DIAL_WAITING;
    dial->turn++;
    if (was_settled || reason == REASON_DUPLICATE) {
        dial->failures = 0;
    } else {
        dial->failures++;
    }
    uint32_t retry_ms = retry_after(dial);
    dial->next_ms = net_now_ms(dial->net) + retry_ms;
    if (dial->failures > 0 && !dial->net->is_closing) {
        log_failure(dial, reason, found);
        report(dial, reason, found, retry_ms);
    }
}

static void connect_to(struct dial *dial, const struct sockaddr *address)
{
    dial->state = DIAL_CONNECTING;
    dial->net->stats.dialled++;
    peer_dial(dial->net, dial, address, dial->name);
}

/* Takes the addresses of a name in turns. */
static const struct addrinfo *choose(const struct addrinfo *list, uint32_t turn)
{
    uint32_t count = 0;
    for (const struct addrinfo *a = list; a != NULL; a = a->ai_next) {
        count++;
    }
    if (count == 0) {
        return NULL;
    }
    for (turn %= count; turn > 0; turn--) {
        list = list->ai_next;
    }
    return list;
}

static void on_resolved(uv_getaddrinfo_t *request, int status,
                        struct addrinfo *list)
{
    struct dial *dial = request->data;
    struct net *net = dial->net;
    if (dial->is_forgotten) {
        free(dial);
    } else {
        const struct addrinfo *chosen =
            status == 0 ? choose(list, dial->turn) : NULL;
        if (chosen != NULL) {
            connect_to(dial, chosen->ai_addr);
        } else {
            net->stats.ended[REASON_RESOLVE]++;
            dial_ended(dial, REASON_RESOLVE, NULL, false);
        }
    }
    uv_freeaddrinfo(list);
    net_release(net);
}

static void resolve(struct dial *dial)
{
    char port[8];
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_protocol = IPPROTO_TCP,
        .ai_flags = AI_NUMERICSERV,
    };
    (void)snprintf(port, sizeof(port), "%u", (unsigned)dial->address.port);
    dial->request.data = dial;
    int rc = uv_getaddrinfo(dial->net->config.loop, &dial->request, on_resolved,
                            dial->address.host, port, &hints);
    if (rc != 0) {
        dial_ended(dial, REASON_RESOLVE, NULL, false);
        return;
    }
    dial->state = DIAL_RESOLVING;
    net_retain(dial->net);
}

void dial_tick(struct dial *dial, uint64_t now_ms)
{
    struct sockaddr_storage address;
    if (dial->state != DIAL_WAITING || now_ms < dial->next_ms ||
        net_find(dial->net, &dial->address.key) != NULL ||
        ban_holds(dial->net, &dial->address.key)) {
        return;
    }
    if (address_numeric(&address, dial->address.host, dial->address.port)) {
        connect_to(dial, (const struct sockaddr *)&address);
    } else {
        resolve(dial);
    }
}
