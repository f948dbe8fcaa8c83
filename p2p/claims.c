#include "config.h"

#include "p2p/claims.h"

#include "base/alloc.h"
#include "base/check.h"

#include <sodium.h>
#include <stdlib.h>

#define DISTRUST_DOUBLES 7
#define SPAN_FIRST       16

struct claim_peer {
    struct claim_peer *next;
    uint64_t id;
    bool has_claimed;
    struct claim claim;
    uint32_t failures;    /* since a block of its stood */
    uint32_t ignored;     /* of them, while it said other things */
    uint64_t believed_ms; /* its claims count for nothing before */
    uint32_t open;        /* questions */
    uint32_t span;
};

static struct claim_peer *find(const struct claims *claims, uint64_t peer_id)
{
    struct claim_peer *p = claims->first;
    while (p != NULL && p->id != peer_id) {
        p = p->next;
    }
    return p;
}

void claims_fini(struct claims *claims)
{
    while (claims->first != NULL) {
        claims_remove(claims, claims->first->id);
    }
}

void claims_add(struct claims *claims, uint64_t peer_id)
{
    struct claim_peer *p = pot_calloc(1, sizeof(*p));
    p->id = peer_id;
    p->span = SPAN_FIRST;
    p->next = claims->first;
    claims->first = p;
}

void claims_remove(struct claims *claims, uint64_t peer_id)
{
    struct claim_peer **at = &claims->first;
    while (*at != NULL && (*at)->id != peer_id) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        struct claim_peer *p = *at;
        *at = p->next;
        free(p);
    }
}

bool claims_set(struct claims *claims, uint64_t peer_id,
                const struct claim *claim)
{
    struct claim_peer *p = find(claims, peer_id);
    bool is_less = p != NULL && (claim->height < p->claim.height ||
                                 claim->lowest < p->claim.lowest);
    if (p != NULL && !is_less) {
        p->claim = *claim;
        p->has_claimed = true;
    }
    return !is_less;
}

const struct claim *claims_get(const struct claims *claims, uint64_t peer_id)
{
    const struct claim_peer *p = find(claims, peer_id);
    return p != NULL && p->has_claimed ? &p->claim : NULL;
}

void claims_distrust(struct claims *claims, uint64_t peer_id, uint64_t now_ms)
{
    struct claim_peer *p = find(claims, peer_id);
    if (p == NULL) {
        return;
    }
    uint32_t doubles =
        p->failures < DISTRUST_DOUBLES ? p->failures : DISTRUST_DOUBLES;
    p->failures++;
    p->believed_ms = now_ms + ((uint64_t)claims->distrust_ms << doubles);
    p->span = 1;
}

uint32_t claims_ignored(struct claims *claims, uint64_t peer_id)
{
    struct claim_peer *p = find(claims, peer_id);
    return p != NULL ? ++p->ignored : 0;
}

void claims_credit(struct claims *claims, uint64_t peer_id)
{
    struct claim_peer *p = find(claims, peer_id);
    if (p != NULL) {
        p->failures = 0;
        p->ignored = 0;
    }
}

void claims_asked(struct claims *claims, uint64_t peer_id)
{
    struct claim_peer *p = find(claims, peer_id);
    if (p != NULL) {
        p->open++;
    }
}

void claims_answered(struct claims *claims, uint64_t peer_id, uint64_t took_ms,
                     uint64_t quick_ms, uint64_t slow_ms)
{
    struct claim_peer *p = find(claims, peer_id);
    if (p == NULL) {
        return;
    }
    POT_ASSERT(p->open > 0);
    p->open--;
    if (took_ms <= quick_ms && p->span < CLAIMS_SPAN_MAX) {
        p->span *= 2;
    } else if (took_ms > slow_ms && p->span > 1) {
        p->span /= 2;
    }
}

uint32_t claims_span(const struct claims *claims, uint64_t peer_id)
{
    const struct claim_peer *p = find(claims, peer_id);
    return p != NULL ? p->span : 0;
}

static bool is_believed(const struct claim_peer *p, uint64_t now_ms)
{
    return p->has_claimed && now_ms >= p->believed_ms;
}

uint64_t claims_highest(const struct claims *claims, uint64_t now_ms)
{
    uint64_t highest = 0;
    for (struct claim_peer *p = claims->first; p != NULL; p = p->next) {
        if (is_believed(p, now_ms) && p->claim.height > highest) {
            highest = p->claim.height;
        }
    }
    return highest;
}

uint64_t claims_choose(const struct claims *claims, uint64_t height,
                       uint64_t now_ms)
{
    uint64_t chosen = 0;
    uint32_t seen = 0;
    uint32_t open = CLAIMS_OPEN_MAX;
    for (struct claim_peer *p = claims->first; p != NULL; p = p->next) {
        if (!is_believed(p, now_ms) || p->claim.height < height ||
            p->claim.lowest > height || p->open >= CLAIMS_OPEN_MAX ||
            p->open > open) {
            continue;
        }
        if (p->open < open) {
            open = p->open;
            seen = 0;
        }
        if (randombytes_uniform(++seen) == 0) {
            chosen = p->id;
        }
    }
    return chosen;
}

uint64_t claims_next(const struct claims *claims, uint64_t height,
                     uint64_t now_ms)
{
    uint64_t next = 0;
    for (struct claim_peer *p = claims->first; p != NULL; p = p->next) {
        bool is_free = is_believed(p, now_ms) && p->open < CLAIMS_OPEN_MAX;
        if (is_free && p->claim.lowest > height &&
            (next == 0 || p->claim.lowest < next)) {
            next = p->claim.lowest;
        }
    }
    return next;
}

static unsigned count_offers(const struct claims *claims, uint64_t height,
                             uint64_t now_ms)
{
    unsigned count = 0;
    for (struct claim_peer *p = claims->first; p != NULL; p = p->next) {
        count += is_believed(p, now_ms) && p->claim.snapshot == height;
    }
    return count;
}

uint64_t claims_snapshot(const struct claims *claims, uint64_t most,
                         uint64_t except, uint64_t now_ms)
{
    uint64_t best = 0;
    unsigned best_count = 0;
    for (struct claim_peer *p = claims->first; p != NULL; p = p->next) {
        uint64_t height = p->claim.snapshot;
        if (!is_believed(p, now_ms) || height == 0 || height > most ||
            height == except) {
            continue;
        }
        unsigned count = count_offers(claims, height, now_ms);
        if (count > best_count || (count == best_count && height > best)) {
            best = height;
            best_count = count;
        }
    }
    return best;
}

void claims_each(const struct claims *claims, uint64_t now_ms,
                 bool (*visit)(void *context, uint64_t peer_id,
                               const struct claim *claim),
                 void *context)
{
    for (struct claim_peer *p = claims->first; p != NULL; p = p->next) {
        if (is_believed(p, now_ms) && !visit(context, p->id, &p->claim)) {
            return;
        }
    }
}
