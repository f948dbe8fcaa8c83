#include "config.h"

#include "p2p/claims.h"

#include "base/alloc.h"

#include <sodium.h>
#include <stdlib.h>

#define DISTRUST_DOUBLES 7

struct claim_peer {
    struct claim_peer *next;
    uint64_t id;
    bool has_claimed;
    struct claim claim;
    uint32_t failures;    /* since a block of its stood */
    uint64_t believed_ms; /* its claims count for nothing before */
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

void claims_set(struct claims *claims, uint64_t peer_id,
                const struct claim *claim)
{
    struct claim_peer *p = find(claims, peer_id);
    if (p != NULL) {
        p->claim = *claim;
        p->has_claimed = true;
    }
}

const struct claim *claims_get(const struct claims *claims, uint64_t peer_id)
{
    const struct claim_peer *p = find(claims, peer_id);
    return p != NULL && p->has_claimed ? &p->claim : NULL;
}

void claims_distrust(struct claims *claims, uint64_t peer_id, uint64_t now_ms)
{
    struct claim_peer *p = find(claims, peer_id);
    if (p != NULL) {
        uint32_t doubles =
            p->failures < DISTRUST_DOUBLES ? p->failures : DISTRUST_DOUBLES;
        p->failures++;
        p->believed_ms = now_ms + ((uint64_t)claims->distrust_ms << doubles);
    }
}

void claims_credit(struct claims *claims, uint64_t peer_id)
{
    struct claim_peer *p = find(claims, peer_id);
    if (p != NULL) {
        p->failures = 0;
    }
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
    for (struct claim_peer *p = claims->first; p != NULL; p = p->next) {
        if (is_believed(p, now_ms) && p->claim.height >= height &&
            randombytes_uniform(++seen) == 0) {
            chosen = p->id;
        }
    }
    return chosen;
}
