/* The whole: peers and dials are made here and joined to each other, and here
 * is the end of it all.  What stands below does not know the net:
 *
 *   listener                   who connects
 *   dial_list > dial           whom to connect to, when and where
 *   admission > peer_table     who is there, and who may be
 *   peer > handshake > frame   a connection, from its socket to its messages
 *   peer > sending > queue     and back
 *
 * They tell it what happens through callbacks.  Who is there, and what is sent
 * to them: p2p/net_peers.c. */
#include "config.h"

#include "p2p/net.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "p2p/net_impl.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB                    ((size_t)1 << 20)
#define TICK_MS                50
#define BAN_CONFIGURED_DIVISOR 20
/* A connection that lived as long counts as a success. */
#define SETTLED_MS 2000
#define WARN_MS    30000

/* --- the end ---------------------------------------------------------- */

/* The last one frees a closing net. */
static void release(struct net *net)
{
    POT_ASSERT(net->open_count > 0);
    if (--net->open_count > 0) {
        return;
    }
    POT_ASSERT(net->is_closing);
    void (*done)(void *context) = net->done;
    void *context = net->done_context;
    peer_table_fini(&net->table);
    free(net);
    if (done != NULL) {
        done(context);
    }
}

static void on_handle_closed(uv_handle_t *handle)
{
    release(handle->data);
}

static void on_closed(void *context)
{
    release(context);
}

/* The dials of all but these peers go, and their connections. */
static void forget_dials(struct net *net, const struct net_address *peers,
                         size_t count, enum reason reason)
{
    struct dial *dial = dial_list_take_unlisted(&net->dials, peers, count);
    while (dial != NULL) {
        for (struct peer_entry *e = net->table.first; e != NULL; e = e->next) {
            if (e->dial == dial) {
                e->dial = NULL;
                peer_close(e->peer, reason);
            }
        }
        dial_close(dial);
        dial = dial_list_take_unlisted(&net->dials, peers, count);
    }
}

void net_close(struct net *net, void (*done)(void *context), void *context)
{
    POT_ASSERT(!net->is_closing);
    net->is_closing = true;
    net->done = done;
    net->done_context = context;
    forget_dials(net, NULL, 0, REASON_SHUTDOWN);
    /* A closing peer stays in the table until a later turn of the loop. */
    for (struct peer_entry *e = net->table.first; e != NULL; e = e->next) {
        peer_close(e->peer, REASON_SHUTDOWN);
    }
    uv_close((uv_handle_t *)&net->timer, on_handle_closed);
    if (net->listener.is_open) {
        listener_close(&net->listener);
    }
}

/* --- who is in -------------------------------------------------------- */

static bool is_configured(const struct net *net, const struct public_key *key)
{
    return dial_list_find(&net->dials, key) != NULL;
}

static void ban(struct net *net, const struct public_key *key, const char *why)
{
    uint32_t ms = net->config.ban_ms;
    if (is_configured(net, key)) {
        ms /= BAN_CONFIGURED_DIVISOR;
    }
    ban_add(&net->bans, key, why, net_now_ms(net) + ms);
    net->stats.bans++;
}

static void announce(struct net *net, struct peer_entry *entry)
{
    char key[ADDRESS_TEXT_SIZE];
    const struct peer *peer = entry->peer;
    peer_table_announce(&net->table, entry);
    LOG(LOG_INFO, "p2p", "peer up",
        log_text("key", address_format(peer_key(peer), key)),
        log_text("address", peer_address(peer)),
        log_text("moniker", peer_moniker(peer)),
        log_text("by", peer_is_outbound(peer) ? "us" : "them"),
        log_u64("peers", net->table.peer_count));
    if (net->callbacks.on_peer != NULL) {
        net->callbacks.on_peer(net->callbacks.context, entry->peer, true);
    }
}

static void dismiss(struct net *net, struct peer_entry *entry)
{
    peer_table_dismiss(&net->table, entry);
    if (net->callbacks.on_peer != NULL) {
        net->callbacks.on_peer(net->callbacks.context, entry->peer, false);
    }
}

/* Once in a while, however often and under however many keys that is. */
static void warn_of_two(struct net *net, const struct peer *newer,
                        const struct peer *older, uint64_t now_ms)
{
    char key[ADDRESS_TEXT_SIZE];
    if (net->warned_ms != 0 && now_ms - net->warned_ms < WARN_MS) {
        return;
    }
    net->warned_ms = now_ms;
    LOG(LOG_WARN, "p2p", "two nodes use one key; the newer one is refused",
        log_text("key", address_format(peer_key(older), key)),
        log_text("older", peer_address(older)),
        log_text("newer", peer_address(newer)));
}

static void on_proven(void *owner, struct peer *peer)
{
    struct peer_entry *entry = owner;
    struct net *net = entry->net;
    uint64_t now_ms = net_now_ms(net);
    struct peer_entry *older = peer_table_find(&net->table, peer_key(peer));
    entry->is_guest = !is_configured(net, peer_key(peer));
    enum reason reason = REASON_BANNED;
    if (!ban_holds(&net->bans, peer_key(peer), now_ms)) {
        reason = admission_check(&net->table, entry, older, &net->limits,
                                 key_public(net->config.key), now_ms);
    }
    if (reason == REASON_ELSEWHERE) {
        warn_of_two(net, peer, older->peer, now_ms);
    }
    if (reason != REASON_NONE) {
        peer_close(peer, reason);
        return;
    }
    if (older != NULL) {
        peer_close(older->peer, REASON_REPLACED);
    }
    if (!peer_is_closing(peer)) { /* the owner may have closed all */
        announce(net, entry);
    }
}

/* A rule was broken by whoever holds the connection's keys; who forged a
 * frame is not proven. */
static bool is_breach(enum reason reason)
{
    return reason == REASON_TYPE || reason == REASON_FRAME_SIZE ||
           reason == REASON_MALFORMED || reason == REASON_MISBEHAVED;
}

/* What no honest node's handshake ends with, whatever happens on the way.
 * Our own limits are none of it: many may be behind an address. */
static bool is_abuse(enum reason reason)
{
    return reason == REASON_NOT_OURS || reason == REASON_REFLECTED ||
           reason == REASON_LOW_ORDER || reason == REASON_SIGNATURE ||
           reason == REASON_HANDSHAKE_TIMEOUT || reason == REASON_FORGED ||
           is_breach(reason);
}

/* Loopback and the addresses of peers are never banned: behind them are
 * others. */
static bool is_shared(const struct net *net, const char *ip)
{
    bool is_shared = net_address_is_loopback(ip);
    for (size_t i = 0; i < net_peer_count(net); i++) {
        is_shared = is_shared || strcmp(peer_ip(net_peer_at(net, i)), ip) == 0;
    }
    return is_shared;
}

static void judge_stranger(struct net *net, const struct peer *peer,
                           enum reason reason, uint64_t now_ms)
{
    const char *ip = peer_ip(peer);
    if (is_abuse(reason) && !is_shared(net, ip) &&
        ban_fault(&net->bans, ip, reason_text(reason), now_ms,
                  now_ms + net->config.ban_ms)) {
        net->stats.bans++;
        LOG(LOG_WARN, "p2p", "address banned", log_text("ip", ip),
            log_text("why", reason_text(reason)));
    }
}

static void on_end(void *owner, struct peer *peer, enum reason reason)
{
    struct peer_entry *entry = owner;
    struct net *net = entry->net;
    uint64_t now_ms = net_now_ms(net);
    bool was_settled =
        entry->is_announced && now_ms - peer_up_ms(peer) >= SETTLED_MS;
    net->stats.ended[reason]++;
    end_log_add(&net->end_log, entry, reason, now_ms);
    if (peer_is_proven(peer) && is_breach(reason)) {
        ban(net, peer_key(peer),
            entry->offence != NULL ? entry->offence : reason_text(reason));
    } else if (!peer_is_proven(peer) && !peer_is_outbound(peer)) {
        judge_stranger(net, peer, reason, now_ms);
    }
    if (entry->is_announced) {
        dismiss(net, entry);
    }
    if (entry->dial != NULL) {
        struct dial *dial = entry->dial;
        entry->dial = NULL;
        dial_ended(dial, reason, peer_found(peer), was_settled);
    }
}

static void on_freed(void *owner)
{
    struct peer_entry *entry = owner;
    struct net *net = entry->net;
    peer_table_remove(&net->table, entry);
    free(entry);
    release(net);
}

static void on_message(void *owner, struct peer *peer, uint8_t type,
                       const uint8_t *data, size_t size)
{
    const struct peer_entry *entry = owner;
    const struct net_callbacks *callbacks = &entry->net->callbacks;
    callbacks->on_message(callbacks->context, peer, type, data, size);
}

void net_ban(struct net *net, struct peer *peer, const char *what)
{
    char key[ADDRESS_TEXT_SIZE];
    if (peer_is_closing(peer)) {
        return;
    }
    struct peer_entry *entry = peer_table_find(&net->table, peer_key(peer));
    POT_ASSERT(entry != NULL && entry->peer == peer);
    entry->offence = what;
    LOG(LOG_WARN, "p2p", "peer banned",
        log_text("key", address_format(peer_key(peer), key)),
        log_text("address", peer_address(peer)), log_text("why", what));
    peer_close(peer, REASON_MISBEHAVED);
}

size_t net_bans(const struct net *net, struct ban *out, size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < BANS_MAX && count < max; i++) {
        if (net->bans.bans[i].until_ms > net_now_ms(net)) {
            out[count++] = net->bans.bans[i];
        }
    }
    return count;
}

/* --- connections begin ------------------------------------------------ */

static struct peer_entry *entry_new(struct net *net)
{
    struct peer_entry *entry = pot_calloc(1, sizeof(*entry));
    entry->net = net;
    entry->peer = peer_new(&net->peer_config, ++net->last_id, entry);
    peer_table_add(&net->table, entry);
    net->open_count++;
    return entry;
}

/* Why an accepted one may not even begin its handshake. */
static enum reason refuse_early(struct net *net, const struct peer_entry *entry)
{
    uint64_t now_ms = net_now_ms(net);
    const char *ip = peer_ip(entry->peer);
    if (ban_holds_ip(&net->bans, ip, now_ms) && !is_shared(net, ip)) {
        return REASON_BANNED;
    }
    if (!net_address_is_loopback(ip) &&
        !accept_rate_admit(&net->accepts, ip, net->config.accepts_ip_per_s,
                           now_ms)) {
        return REASON_ACCEPT_RATE;
    }
    return admission_make_room(&net->table, &net->limits, entry, now_ms)
               ? REASON_NONE
               : REASON_PENDING_LIMIT;
}

static void on_connection(void *context, uv_stream_t *stream)
{
    struct net *net = context;
    if (stream == NULL) {
        net->stats.ended[REASON_IO]++;
    }
    if (stream == NULL || net->is_closing) {
        return;
    }
    struct peer_entry *entry = entry_new(net);
    if (!peer_accept(entry->peer, stream)) {
        return;
    }
    net->stats.accepted++;
    enum reason reason = refuse_early(net, entry);
    if (reason == REASON_NONE) {
        peer_greet(entry->peer);
    } else {
        peer_close(entry->peer, reason);
    }
}

static void on_connect(void *context, struct dial *dial,
                       const struct sockaddr *address, const char *name)
{
    struct peer_entry *entry = entry_new(context);
    entry->dial = dial;
    peer_connect(entry->peer, address, name, &dial_address(dial)->key);
}

static void tick_dial(struct net *net, struct dial *dial, uint64_t now_ms)
{
    const struct public_key *key = &dial_address(dial)->key;
    if (net_find(net, key) == NULL && !ban_holds(&net->bans, key, now_ms)) {
        dial_tick(dial, now_ms);
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct net *net = timer->data;
    uint64_t now_ms = net_now_ms(net);
    for (size_t i = 0; i < net->dials.count; i++) {
        tick_dial(net, net->dials.dials[i], now_ms);
    }
    for (struct peer_entry *e = net->table.first; e != NULL; e = e->next) {
        if (!peer_is_closing(e->peer)) {
            peer_tick(e->peer, now_ms);
        }
    }
    if (!net->is_closing && net->callbacks.on_tick != NULL) {
        net->callbacks.on_tick(net->callbacks.context, now_ms);
    }
}

/* --- the beginning ---------------------------------------------------- */

static void or_default(uint32_t *value, uint32_t fallback)
{
    *value = *value != 0 ? *value : fallback;
}

static void config_fill(struct net_config *c)
{
    static const size_t queues[PRIORITY_COUNT] = {16 * MIB, 4 * MIB, 8 * MIB};
    or_default(&c->guests_max, 64);
    or_default(&c->pending_max, 16);
    or_default(&c->pending_ip_max, 2);
    or_default(&c->accepts_ip_per_s, 20);
    or_default(&c->handshake_ms, 5000);
    or_default(&c->ping_ms, 15000);
    or_default(&c->idle_ms, 45000);
    or_default(&c->redial_min_ms, 200);
    or_default(&c->redial_max_ms, 5000);
    or_default(&c->ban_ms, 600000);
    or_default(&c->rival_ms, 10000);
    or_default(&c->signatures_per_s, 2000);
    for (size_t i = 0; i < PRIORITY_COUNT; i++) {
        if (c->queue_bytes_max[i] == 0) {
            c->queue_bytes_max[i] = queues[i];
        }
    }
    if (c->queue_bytes_total == 0) {
        c->queue_bytes_total = 1024 * MIB;
    }
}

/* What the net's config means for each of its peers and dials. */
static void config_hand_down(struct net *net)
{
    const struct net_config *c = &net->config;
    net->peer_config = (struct peer_config){
        .loop = c->loop,
        .chain = c->chain,
        .key = c->key,
        .instance = net->instance,
        .moniker = net->moniker,
        .handshake_ms = c->handshake_ms,
        .ping_ms = c->ping_ms,
        .idle_ms = c->idle_ms,
        .signatures_per_s = c->signatures_per_s,
        .sending = {.queue_bytes_total = c->queue_bytes_total,
                    .stats = &net->stats},
        .stats = &net->stats,
        .read_bytes = net->read_bytes,
        .on_proven = on_proven,
        .on_message = on_message,
        .on_end = on_end,
        .on_freed = on_freed,
    };
    for (size_t i = 0; i < PRIORITY_COUNT; i++) {
        net->peer_config.sending.queue_bytes_max[i] = c->queue_bytes_max[i];
    }
    net->limits = (struct admission_limits){
        .pending_max = c->pending_max,
        .pending_ip_max = c->pending_ip_max,
        .guests_max = c->guests_max,
        .is_closed = c->is_closed,
        .rival_ms = c->rival_ms,
    };
    net->dial_config = (struct dial_config){
        .loop = c->loop,
        .retry_min_ms = c->redial_min_ms,
        .retry_max_ms = c->redial_max_ms,
        .stats = &net->stats,
        .context = net,
        .connect = on_connect,
        .closed = on_closed,
    };
}

static struct net *net_new(const struct net_config *config,
                           const struct net_callbacks *callbacks)
{
    struct net *net = pot_calloc(1, sizeof(*net));
    net->config = *config;
    config_fill(&net->config);
    net->config.peers = NULL;
    (void)snprintf(net->moniker, sizeof(net->moniker), "%s", config->moniker);
    randombytes_buf(&net->instance, sizeof(net->instance));
    net->callbacks = *callbacks;
    config_hand_down(net);
    int rc = uv_timer_init(config->loop, &net->timer);
    POT_ASSERT(rc == 0);
    net->timer.data = net;
    net->open_count++;
    return net;
}

static enum pot_err listen_on(struct net *net, const char *address)
{
    net->listener = (struct listener){
        .context = net,
        .on_connection = on_connection,
        .closed = on_closed,
    };
    enum pot_err err = listener_open(&net->listener, net->config.loop, address);
    net->open_count += net->listener.is_open;
    return err;
}

enum pot_err net_open(struct net **out, const struct net_config *config,
                      const struct net_callbacks *callbacks)
{
    POT_ASSERT(callbacks->on_message != NULL);
    *out = NULL;
    struct net *net = net_new(config, callbacks);
    enum pot_err err = net_set_peers(net, config->peers, config->peer_count);
    if (err == POT_OK && config->listen != NULL) {
        err = listen_on(net, config->listen);
    }
    if (err != POT_OK) {
        net_close(net, NULL, NULL);
        return err;
    }
    int rc = uv_timer_start(&net->timer, on_tick, 0, TICK_MS);
    POT_ASSERT(rc == 0);
    *out = net;
    return POT_OK;
}

/* --- configured peers ------------------------------------------------- */

/* Who was a stranger is none any more, and the other way round. */
static void sort_peers(struct net *net)
{
    struct peer_table *table = &net->table;
    for (size_t i = table->peer_count; i > 0; i--) {
        if (i > table->peer_count) {
            continue; /* on_peer closed some more */
        }
        struct peer_entry *entry = table->peers[i - 1];
        bool is_guest = !is_configured(net, peer_key(entry->peer));
        if (is_guest && !entry->is_guest) {
            peer_close(entry->peer, REASON_NOT_WANTED);
        } else {
            peer_table_set_guest(table, entry, is_guest);
        }
    }
}

enum pot_err net_set_peers(struct net *net, const struct net_address *peers,
                           size_t count)
{
    const struct public_key *own = key_public(net->config.key);
    if (count > NET_DIALS_MAX) {
        return POT_ELIMIT;
    }
    forget_dials(net, peers, count, REASON_NOT_WANTED);
    if (net->is_closing) { /* by on_peer */
        return POT_OK;
    }
    for (size_t i = 0; i < count; i++) {
        /* A list that all nodes share names ourselves too. */
        if (!public_key_equal(&peers[i].key, own) &&
            !is_configured(net, &peers[i].key)) {
            dial_list_add(&net->dials, dial_new(&net->dial_config, &peers[i]));
            net->open_count++;
        }
    }
    sort_peers(net);
    return POT_OK;
}

uint16_t net_port(const struct net *net)
{
    return listener_port(&net->listener);
}

uint64_t net_now_ms(const struct net *net)
{
    return uv_now(net->config.loop);
}

void net_stats(const struct net *net, struct net_stats *out)
{
    *out = net->stats;
    out->peers = net_peer_count(net);
    for (struct peer_entry *e = net->table.first; e != NULL; e = e->next) {
        out->pending += peer_is_pending(e->peer);
    }
}
