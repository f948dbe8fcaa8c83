/* chain_fixture: a node's chain over a real store in a temporary folder: one
 * validator, whose signature alone is a quorum, and one account. */
#ifndef POT_TESTS_UNIT_CHAIN_FIXTURE_H
#define POT_TESTS_UNIT_CHAIN_FIXTURE_H

#include <uv.h>

#include "base/key.h"
#include "node/block/certified.h"
#include "node/block/chain.h"
#include "node/block/proposal.h"
#include "node/block/shared_block.h"
#include "node/hold/holdings.h"

struct chain_fixture {
    char *folder;
    uv_loop_t loop;
    struct holdings holdings;
    struct key *validator;
    struct key *client;
    Pot__Genesis genesis;
    struct chain *chain;
    unsigned applied;
    struct hash lacking;

    /* What the last job answered. */
    unsigned answers;
    enum pot_err err;
    char why[256];
    struct shared_block *proposed;
    size_t refused_count;
    struct proposal_refused refused;
};

void chain_fixture_open(struct chain_fixture *f);
void chain_fixture_close(struct chain_fixture *f);

/* chain_fixture_restart: the chain and the store, as after a crash. */
void chain_fixture_restart(struct chain_fixture *f);

/* chain_fixture_lose: likewise, and the store is gone. */
void chain_fixture_lose(struct chain_fixture *f);

/* chain_fixture_pay: a transaction of the client's. */
Pot__Signed *chain_fixture_pay(const struct chain_fixture *f, uint64_t nonce,
                               uint64_t amount);

/* chain_fixture_describe: a data set of one chunk, whose memory is static.
 * chain_fixture_load: it is announced, put and loaded by this node. */
void chain_fixture_describe(Pot__PublishDataset *out);
void chain_fixture_load(const struct chain_fixture *f);

/* chain_fixture_publish: a transaction of the client's. */
Pot__Signed *chain_fixture_publish(const struct chain_fixture *f,
                                   uint64_t nonce,
                                   Pot__PublishDataset *description);

/* chain_fixture_store: what write puts stands in the state, as if a block had
 * brought it there; the chain knows nothing of that block.
 * chain_fixture_store_task: a record. */
void chain_fixture_store(const struct chain_fixture *f,
                         void (*write)(const struct ledger_env *env,
                                       const void *what),
                         const void *what);
void chain_fixture_store_task(const struct chain_fixture *f,
                              const Pot__TaskRecord *record);

/* Each runs the loop until it is answered and returns the answer.
 * chain_fixture_propose: of tx, which it takes; NULL: of nothing.  _propose_of:
 * of what is in the request, which it takes. */
struct shared_block *chain_fixture_propose(struct chain_fixture *f,
                                           Pot__Signed *tx);
struct shared_block *chain_fixture_propose_of(struct chain_fixture *f,
                                              struct proposal_request *request);
enum pot_err chain_fixture_check(struct chain_fixture *f,
                                 struct shared_block *block);
enum pot_err chain_fixture_apply(struct chain_fixture *f,
                                 struct shared_block *block);

/* chain_fixture_certify: the block with the validator's commit. */
struct certified *chain_fixture_certify(const struct chain_fixture *f,
                                        struct shared_block *block);

/* chain_fixture_lacking: a block, next on the tip, with a round whose gradient
 * and aggregate nobody has: both are f->lacking, of 100 bytes. */
struct shared_block *chain_fixture_lacking(const struct chain_fixture *f);

/* chain_fixture_done: a chain_done_fn that notes the answer in f. */
void chain_fixture_done(void *f, enum pot_err err, const char *why);

#endif
