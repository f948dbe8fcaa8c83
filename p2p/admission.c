#include "config.h"

#include "p2p/admission.h"

#include "p2p/net_address.h"
#include "p2p/peer_life.h"

#include <string.h>

#define PEERS_MAX 4096
/* Under pressure a newcomer takes the place of a handshake this old: an
 * honest one needs two round trips. */
#define PENDING_OLD_MS 1000
/* Older connections are not an accident of dialling at once. */
#define DUPLICATE_MS 10000

static bool is_pending_inbound(const struct peer *peer)
{
    return peer_is_pending(peer) && !peer_is_outbound(peer);
}

/* Frees a place for a newcomer, if one is held by who only sits there. */
static bool evict_oldest(const struct peer_table *table, uint64_t now_ms)
{
    struct peer *oldest = NULL;
    for (struct peer_entry *e = table->first; e != NULL; e = e->next) {
        if (is_pending_inbound(e->peer) &&
            (oldest == NULL ||
             peer_started_ms(e->peer) < peer_started_ms(oldest))) {
            oldest = e->peer;
        }
    }
    if (oldest == NULL || now_ms - peer_started_ms(oldest) < PENDING_OLD_MS) {
        return false;
    }
    peer_close(oldest, REASON_PENDING_LIMIT);
    return true;
}

bool admission_make_room(const struct peer_table *table,
                         const struct admission_limits *limits,
                         const struct peer_entry *newcomer, uint64_t now_ms)
{
    const char *ip = peer_ip(newcomer->peer);
    size_t others = 0;
    size_t from_ip = 0;
    for (struct peer_entry *e = table->first; e != NULL; e = e->next) {
        if (e != newcomer && is_pending_inbound(e->peer)) {
            others++;
            from_ip += strcmp(peer_ip(e->peer), ip) == 0;
        }
    }
    if (from_ip >= limits->pending_ip_max && !net_address_is_loopback(ip)) {
        return false;
    }
    return others < limits->pending_max || evict_oldest(table, now_ms);
}

static const struct public_key *dialler(const struct peer *peer,
                                        const struct public_key *own)
{
    return peer_is_outbound(peer) ? own : peer_key(peer);
}

/* Both ends judge by the same facts, so both keep the same connection. */
static bool is_preferred(const struct peer *newer, const struct peer *older,
                         const struct public_key *own, uint64_t now_ms)
{
    int order = public_key_compare(dialler(newer, own), dialler(older, own));
    return order <= 0 || now_ms - peer_up_ms(older) >= DUPLICATE_MS;
}

/* Each time the last ping is judged and the next one sent: older may have
 * gone since. */
static enum reason judge_rival(struct peer_entry *older, uint64_t rival,
                               uint32_t patience_ms, uint64_t now_ms)
{
    bool is_known = older->rival_ms != 0 && older->rival == rival;
    bool is_alive =
        is_known && peer_answered_ms(older->peer) >= older->rival_ms;
    if (is_known && !is_alive) {
        return now_ms - older->rival_ms >= patience_ms ? REASON_NONE
                                                       : REASON_DUPLICATE;
    }
    older->rival = rival;
    older->rival_ms = now_ms;
    peer_ping(older->peer, now_ms);
    return is_alive ? REASON_ELSEWHERE : REASON_DUPLICATE;
}

enum reason admission_check(const struct peer_table *table,
                            const struct peer_entry *entry,
                            struct peer_entry *older,
                            const struct admission_limits *limits,
                            const struct public_key *own, uint64_t now_ms)
{
    if (entry->is_guest && limits->is_closed) {
        return REASON_NOT_ALLOWED;
    }
    size_t guests = table->guest_count - (older != NULL && older->is_guest);
    if ((entry->is_guest && guests >= limits->guests_max) ||
        table->peer_count >= PEERS_MAX) {
        return REASON_PEER_LIMIT;
    }
    if (older != NULL &&
        peer_instance(entry->peer) != peer_instance(older->peer)) {
        return judge_rival(older, peer_instance(entry->peer), limits->rival_ms,
                           now_ms);
    }
    if (older != NULL && !is_preferred(entry->peer, older->peer, own, now_ms)) {
        return REASON_DUPLICATE;
    }
    return REASON_NONE;
}
