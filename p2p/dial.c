#include "config.h"

#include "p2p/dial.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

enum dial_state {
    DIAL_WAITING,
    DIAL_RESOLVING,
    DIAL_CONNECTING, /* until its connection ends */
};

struct dial {
    const struct dial_config *config;
    struct net_address address;
    char name[NET_NAME_SIZE]; /* "host:port" */
    enum dial_state state;
    uint64_t next_ms;
    uint32_t failures; /* in a row */
    uint32_t turn;     /* which of a name's addresses comes next */
    uv_getaddrinfo_t request;
    bool is_closing; /* freed when the look-up returns */
};

struct dial *dial_new(const struct dial_config *config,
                      const struct net_address *address)
{
    struct dial *dial = pot_calloc(1, sizeof(*dial));
    dial->config = config;
    dial->address = *address;
    net_address_join(dial->name, sizeof(dial->name), address->host,
                     address->port);
    return dial;
}

static void finish(struct dial *dial)
{
    const struct dial_config *config = dial->config;
    free(dial);
    config->closed(config->context);
}

void dial_close(struct dial *dial)
{
    dial->is_closing = true;
    if (dial->state == DIAL_RESOLVING) {
        (void)uv_cancel((uv_req_t *)&dial->request);
    } else {
        finish(dial);
    }
}

const struct net_address *dial_address(const struct dial *dial)
{
    return &dial->address;
}

/* Doubles with each failure up to the cap, then loses up to a quarter by
 * lot: a network that starts at once does not dial at once for ever. */
static uint32_t retry_after(const struct dial *dial)
{
    const struct dial_config *config = dial->config;
    uint64_t ms = config->retry_min_ms;
    for (uint32_t i = 1; i < dial->failures && ms < config->retry_max_ms; i++) {
        ms *= 2;
    }
    if (ms > config->retry_max_ms) {
        ms = config->retry_max_ms;
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

void dial_ended(struct dial *dial, enum reason reason,
                const struct public_key *found, bool was_settled)
{
    POT_ASSERT(!dial->is_closing);
    dial->state = DIAL_WAITING;
    dial->turn++;
    if (was_settled || reason == REASON_DUPLICATE ||
        reason == REASON_REPLACED) {
        dial->failures = 0; /* a duplicate: they are connected already */
    } else {
        dial->failures++;
    }
    dial->next_ms = uv_now(dial->config->loop) + retry_after(dial);
    log_failure(dial, reason, found);
}

static void connect_to(struct dial *dial, const struct sockaddr *address)
{
    dial->state = DIAL_CONNECTING;
    dial->config->stats->dialled++;
    dial->config->connect(dial->config->context, dial, address, dial->name);
}

static void fail_to_resolve(struct dial *dial)
{
    dial->config->stats->ended[REASON_RESOLVE]++;
    dial_ended(dial, REASON_RESOLVE, NULL, false);
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
    const struct addrinfo *chosen =
        status == 0 ? choose(list, dial->turn) : NULL;
    if (dial->is_closing) {
        finish(dial);
    } else if (chosen != NULL) {
        connect_to(dial, chosen->ai_addr);
    } else {
        fail_to_resolve(dial);
    }
    uv_freeaddrinfo(list);
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
    dial->state = DIAL_RESOLVING;
    int rc = uv_getaddrinfo(dial->config->loop, &dial->request, on_resolved,
                            dial->address.host, port, &hints);
    if (rc != 0) {
        fail_to_resolve(dial);
    }
}

void dial_tick(struct dial *dial, uint64_t now_ms)
{
    struct sockaddr_storage address;
    if (dial->state != DIAL_WAITING || now_ms < dial->next_ms) {
        return;
    }
    if (net_address_numeric(&address, dial->address.host, dial->address.port)) {
        connect_to(dial, (const struct sockaddr *)&address);
    } else {
        resolve(dial);
    }
}
