/* intake: transactions and what is said of rounds, from peers or from
 * this node's own hands: decoded and verified off the loop in batches, then
 * handed to whoever they are for, and passed on. */
#ifndef POT_NODE_TX_INTAKE_H
#define POT_NODE_TX_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/hash.h"
#include "ledger/tx.h"
#include "node/tx/mempool.h"
#include "p2p/message.h"
#include "proto/chain.pb-c.h"

struct pending;
struct chain;
struct gossip;
struct holdings;
struct intake; /* opaque: node/tx/intake.c */

/* What became of a transaction. */
struct intake_receipt {
    struct hash hash;
    enum tx_verdict ledger;
    enum mempool_verdict pool; /* if intake_may_wait */
};

/* intake_may_wait: the ledger takes it now, or once those before it are in a
 * block: what became of it is the mempool's word. */
bool intake_may_wait(const struct intake_receipt *receipt);

/* intake_is_taken: it waits for a block now, or did already. */
bool intake_is_taken(const struct intake_receipt *receipt);

/* intake_text: why not, or that it was added; static. */
const char *intake_text(const struct intake_receipt *receipt);

typedef void intake_done_fn(void *context,
                            const struct intake_receipt *receipt);

/* So long a fellow is believed to have told all others himself. */
#define INTAKE_FELLOW_MS 5000

struct intake_config {
    uv_loop_t *loop;
    const struct holdings *holdings;
    struct chain *chain;
    struct mempool *mempool;
    struct pending *pending; /* over mempool */
    struct gossip *gossip;
    uint64_t fellow_ms; /* INTAKE_FELLOW_MS */
    /* An aggregator's: who takes submissions passes them on, and what a fellow
     * has told of a round goes to those who are none. */
    bool is_gathering;
    void *context;
    /* True: it is for us and for others, pass it on. */
    bool (*on_submission)(void *context, Pot__Signed *message,
                          uint64_t peer_id);
    bool (*on_commitment)(void *context, Pot__Signed *message,
                          uint64_t peer_id);
    bool (*on_attestation)(void *context, Pot__Signed *message,
                           uint64_t peer_id);
    bool (*on_group)(void *context, Pot__Signed *message, uint64_t peer_id);
    bool (*on_group_word)(void *context, Pot__Signed *message,
                          uint64_t peer_id);
};

struct intake *intake_new(const struct intake_config *config);

/* intake_stop: nothing is taken any more.  intake_free: once work off the
 * loop has ended. */
void intake_stop(struct intake *intake);
void intake_free(struct intake *intake);

/* intake_receive: a peer's message of a type that is for one of those. */
void intake_receive(struct intake *intake, uint8_t type, const void *data,
                    size_t size, uint64_t peer_id);

/* intake_is_told: whether the peer of this id tells validators itself what it
 * brings of miners (gossip_is_teller): it is told none of them then.  Of
 * validators themselves an aggregator takes that for granted; they pass on what
 * they hear from each other. */
bool intake_is_told(const struct intake *intake, uint64_t peer_id);

/* intake_submit: a transaction of a client or of our own; done, may be NULL,
 * is called later, from the loop, or now, with MEMPOOL_FULL, when too many wait
 * or it has stopped.  Who waits when it stops is not answered. */
void intake_submit(struct intake *intake, const void *data, size_t size,
                   intake_done_fn *done, void *context);

/* intake_submit_batch: a batch of them (proto/batch.h), which is whole; done is
 * called for each, in their order.  False: there is no room for all of them,
 * and none was taken. */
bool intake_submit_batch(struct intake *intake, const void *data, size_t size,
                         intake_done_fn *done, void *context);

/* intake_applied: a block was applied: what the ledger refused before it, but
 * not for good, is judged once more. */
void intake_applied(struct intake *intake);

/* intake_tick: now and then.  What a fellow (p2p/gossip.h) brought, and no
 * block has taken for a while, is told to the others, who may not hear him. */
void intake_tick(struct intake *intake);

/* intake_forget: done is not called for this context any more. */
void intake_forget(struct intake *intake, const void *context);

struct intake_stats {
    uint64_t received[MESSAGE_TYPE_COUNT];
    uint64_t refused[MESSAGE_TYPE_COUNT];
    uint64_t dropped; /* too many at once */
};

void intake_stats(const struct intake *intake, struct intake_stats *out);

#endif
