/* signed_watch: asks the other validators what they last saw signed by this
 * node's key, answers them, and has the guard judge (node/block/guard.h).
 *
 * All on the loop. */
#ifndef POT_NODE_BLOCK_SIGNED_WATCH_H
#define POT_NODE_BLOCK_SIGNED_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/key.h"
#include "consensus/pbft.h"
#include "node/block/guard.h"

struct net;
struct peer;
struct signed_watch; /* opaque: node/block/signed_watch.c */

struct signed_watch_config {
    struct net *net;
    struct hash chain;
    struct public_key self;
    bool has_record; /* as guard_init's */
    enum guard_state state;

    void *context;
    /* The furthest that is signed, by record and this process. */
    struct pbft_mark (*signed_last)(void *context);
    /* Never GUARD_STAY. */
    void (*act)(void *context, enum guard_verdict verdict);
};

struct signed_watch *signed_watch_new(const struct signed_watch_config *config);
void signed_watch_free(struct signed_watch *watch);

/* signed_watch_tip: a new tip, or the first; set: who signs the next
 * height. */
void signed_watch_tip(struct signed_watch *watch, uint64_t tip,
                      const struct validator_set *set);

/* signed_watch_message: a message under set, verified or spare. */
void signed_watch_message(struct signed_watch *watch,
                          const struct validator_set *set,
                          const Pot__ConsensusMessage *message);

/* signed_watch_certificate: one that is final; its signatures are verified
 * where they matter. */
void signed_watch_certificate(struct signed_watch *watch,
                              const Pot__CommitCertificate *certificate);

/* What the network tells: a peer has come or gone; MESSAGE_GET_SIGNED,
 * MESSAGE_LAST_SIGNED; the time. */
void signed_watch_peer(struct signed_watch *watch, struct peer *peer,
                       bool is_up);
void signed_watch_asked(struct signed_watch *watch, struct peer *peer);
void signed_watch_answered(struct signed_watch *watch, struct peer *peer,
                           const uint8_t *data, size_t size);
void signed_watch_tick(struct signed_watch *watch, uint64_t now_ms);

/* signed_watch_guard: for those who tell people. */
const struct guard *signed_watch_guard(const struct signed_watch *watch);

#endif
