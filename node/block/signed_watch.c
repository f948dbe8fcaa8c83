#include "config.h"

#include "node/block/signed_watch.h"

#include "base/alloc.h"
#include "node/block/last_signed.h"
#include "p2p/net.h"
#include "proto/codec.h"
#include "proto/wire.pb-c.h"

#include <stdlib.h>

#define ASK_MS       1000  /* while the replica is held */
#define ASK_CLEAR_MS 10000 /* for a copy of the key that begins later */

struct signed_watch {
    struct signed_watch_config config;
    struct guard guard;
    struct last_signed_table table;
    uint64_t asked_ms;
};

struct signed_watch *signed_watch_new(const struct signed_watch_config *config)
{
    struct signed_watch *watch = pot_calloc(1, sizeof(*watch));
    watch->config = *config;
    guard_init(&watch->guard, &config->self, &config->chain, config->has_record,
               config->state);
    return watch;
}

void signed_watch_free(struct signed_watch *watch)
{
    free(watch);
}

static struct pbft_mark own(const struct signed_watch *watch)
{
    return watch->config.signed_last(watch->config.context);
}

static void judge(struct signed_watch *watch)
{
    struct pbft_mark mark = own(watch);
    enum guard_verdict verdict;
    while ((verdict = guard_judge(&watch->guard, &mark)) != GUARD_STAY) {
        watch->config.act(watch->config.context, verdict);
        if (verdict == GUARD_DOUBLED) {
            return;
        }
    }
}

/* ---- what is seen */

static void see(struct signed_watch *watch, const struct public_key *key,
                const struct pbft_mark *mark, const struct signature *signature)
{
    last_signed_note(&watch->table, key, mark, signature);
    if (public_key_equal(key, &watch->config.self)) {
        struct pbft_mark mine = own(watch);
        (void)guard_seen(&watch->guard, mark, signature, &mine);
        judge(watch);
    }
}

void signed_watch_message(struct signed_watch *watch,
                          const struct validator_set *set,
                          const Pot__ConsensusMessage *message)
{
    struct pbft_mark mark;
    struct signature signature;
    uint32_t replica;
    if (pbft_mark_of_message(&mark, &replica, &signature, message) &&
        replica < set->count) {
        see(watch, &set->keys[replica], &mark, &signature);
    }
}

/* Of our own key alone: a block that block sync brings may show that we had
 * signed it. */
void signed_watch_certificate(struct signed_watch *watch,
                              const Pot__CommitCertificate *certificate)
{
    uint32_t self;
    struct pbft_mark mark = {.rank = (uint32_t)POT__PHASE__PHASE_COMMIT};
    struct pbft_mark mine = own(watch);
    if (certificate == NULL ||
        !validator_set_find(&self, &watch->guard.set, &watch->config.self) ||
        !codec_hash(&mark.digest, certificate->digest)) {
        return;
    }
    mark.height = certificate->height;
    mark.view = certificate->view;
    for (size_t i = 0; i < certificate->n_signatures; i++) {
        struct signature signature;
        const Pot__VoteSignature *each = certificate->signatures[i];
        if (each->replica == self &&
            codec_signature(&signature, each->signature)) {
            (void)guard_seen(&watch->guard, &mark, &signature, &mine);
        }
    }
    judge(watch);
}

void signed_watch_tip(struct signed_watch *watch, uint64_t tip,
                      const struct validator_set *set)
{
    guard_tip(&watch->guard, tip, set);
    judge(watch);
}

/* ---- asking */

static bool is_asked(void *context, const struct peer *peer)
{
    const struct signed_watch *watch = context;
    uint32_t index;
    return validator_set_find(&index, &watch->guard.set, peer_key(peer));
}

static uint8_t *make_ask(size_t *size)
{
    const Pot__GetSigned ask = POT__GET_SIGNED__INIT;
    return codec_encode(size, &ask);
}

void signed_watch_peer(struct signed_watch *watch, struct peer *peer,
                       bool is_up)
{
    if (!is_up) {
        guard_lost(&watch->guard, peer_key(peer));
        if (peer_is_elsewhere(peer)) {
            guard_elsewhere(&watch->guard, peer_key(peer));
            judge(watch);
        }
        return;
    }
    if (is_asked(watch, peer)) {
        size_t size;
        uint8_t *data = make_ask(&size);
        (void)net_send(watch->config.net, peer, MESSAGE_GET_SIGNED, data, size);
        free(data);
    }
}

void signed_watch_tick(struct signed_watch *watch, uint64_t now_ms)
{
    uint64_t every_ms =
        watch->guard.state == GUARD_CLEAR ? ASK_CLEAR_MS : ASK_MS;
    if (now_ms - watch->asked_ms >= every_ms) {
        size_t size;
        uint8_t *data = make_ask(&size);
        watch->asked_ms = now_ms;
        (void)net_multicast(watch->config.net, MESSAGE_GET_SIGNED, data, size,
                            is_asked, watch);
        free(data);
    }
}

void signed_watch_asked(struct signed_watch *watch, struct peer *peer)
{
    size_t size;
    Pot__LastSigned answer = POT__LAST_SIGNED__INIT;
    const struct last_signed *last =
        last_signed_find(&watch->table, peer_key(peer));
    const struct pbft_mark mine = own(watch);
    answer.tip = guard_told(&watch->guard, &mine);
    answer.recovers = watch->guard.state == GUARD_RECOVERING;
    if (last != NULL) {
        answer.height = last->mark.height;
        answer.view = last->mark.view;
        answer.rank = last->mark.rank;
        answer.digest = codec_bytes(last->mark.digest.b, HASH_SIZE);
        answer.signature = codec_bytes(last->signature.b, SIGNATURE_SIZE);
    }
    uint8_t *data = codec_encode(&size, &answer);
    (void)net_send(watch->config.net, peer, MESSAGE_LAST_SIGNED, data, size);
    free(data);
}

/* ---- answers */

/* False: malformed, or signed by somebody else. */
static bool take_signed(struct signed_watch *watch,
                        const Pot__LastSigned *answer)
{
    struct signature signature;
    struct pbft_mark mine = own(watch);
    struct pbft_mark mark = {
        .height = answer->height, .view = answer->view, .rank = answer->rank};
    if (answer->signature.len == 0) {
        return true;
    }
    return codec_hash(&mark.digest, answer->digest) &&
           codec_signature(&signature, answer->signature) &&
           guard_seen(&watch->guard, &mark, &signature, &mine);
}

void signed_watch_answered(struct signed_watch *watch, struct peer *peer,
                           const uint8_t *data, size_t size)
{
    Pot__LastSigned *answer;
    if (CODEC_DECODE(&answer, pot__last_signed, data, size) != POT_OK ||
        !take_signed(watch, answer)) {
        codec_free(answer);
        net_ban(watch->config.net, peer, "a signature that is not ours");
        return;
    }
    guard_answered(&watch->guard, peer_key(peer), answer->tip);
    guard_recovers(&watch->guard, peer_key(peer), answer->recovers);
    codec_free(answer);
    judge(watch);
}

const struct guard *signed_watch_guard(const struct signed_watch *watch)
{
    return &watch->guard;
}
