/* ledger_fixture: a small chain in memory: four validators, miners, a client,
 * a data set of eight rows, and messages made and signed in one line. */
#ifndef POT_TESTS_UNIT_LEDGER_FIXTURE_H
#define POT_TESTS_UNIT_LEDGER_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/key.h"
#include "ledger/ledger.h"
#include "tests/unit/memory_state.h"

#define FIXTURE_VALIDATORS 4
#define FIXTURE_MINERS     5
#define FIXTURE_CLIENTS    2
#define FIXTURE_BALANCE    UINT64_C(1000000000)
#define FIXTURE_STAKE      UINT64_C(1000000)
#define FIXTURE_FEE        UINT64_C(100000)
#define FIXTURE_FEATURES   3
#define FIXTURE_HIDDEN     4
#define FIXTURE_CLASSES    2
#define FIXTURE_PARAMETERS                                                     \
    (FIXTURE_FEATURES * FIXTURE_HIDDEN + FIXTURE_HIDDEN +                      \
     FIXTURE_HIDDEN * FIXTURE_CLASSES + FIXTURE_CLASSES)
#define FIXTURE_MESSAGES_MAX 64

enum { FIXTURE_KEYS = FIXTURE_VALIDATORS + FIXTURE_MINERS + FIXTURE_CLIENTS };

struct fixture {
    struct memory_state memory;
    struct ledger_env env;
    struct hash chain;
    struct key *keys[FIXTURE_KEYS]; /* validators, miners, clients */
    uint64_t height;
    Pot__GenesisParams params;
    uint8_t *dataset_bytes;
    size_t dataset_size;
    struct dataset dataset;
    struct hash dataset_address;
    struct hash dataset_chunk;
    Pot__Signed **accepted; /* transactions since the last end of a block */
    size_t accepted_count;
};

struct key *fixture_validator(const struct fixture *f, size_t i);
struct key *fixture_miner(const struct fixture *f, size_t i);
struct key *fixture_client(const struct fixture *f, size_t i);

/* fixture_open: the genesis is written, the data set held, not published. */
void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);

/* fixture_block: what execution knows of block f->height. */
struct ledger_block fixture_block(const struct fixture *f, size_t proposer);

/* fixture_end_block: ends the block, checks supply and records, moves to the
 * next height. */
void fixture_end_block(struct fixture *f);

/* fixture_next_block: the same for a block that was ended already. */
void fixture_next_block(struct fixture *f);

/* fixture_check: all that is held adds up to the supply, and the records are
 * sound. */
void fixture_check(struct fixture *f);

/* ---- transactions.  The action is set by the caller; the rest is filled
 * in: nonce, fee, chain. */
Pot__Signed *fixture_sign(const struct fixture *f, const struct key *key,
                          Pot__TxBody *body);

/* fixture_apply: signs and applies; in case of a refusal it checks that the
 * state stays as it was, and in any case that check and apply agree. */
enum tx_verdict fixture_apply(struct fixture *f, const struct key *key,
                              Pot__TxBody *body);

enum tx_verdict fixture_publish(struct fixture *f);
enum tx_verdict fixture_stake(struct fixture *f, const struct key *key,
                              Pot__StakeRole role, uint64_t amount);
enum tx_verdict fixture_unstake(struct fixture *f, const struct key *key,
                                Pot__StakeRole role, uint64_t amount);
enum tx_verdict fixture_join(struct fixture *f, const struct key *key,
                             const struct hash *task);
enum tx_verdict fixture_leave(struct fixture *f, const struct key *key,
                              const struct hash *task);
enum tx_verdict fixture_cancel(struct fixture *f, const struct key *key,
                               const struct hash *task);

/* fixture_spec: a sound task; its parts live in the struct. */
struct fixture_spec {
    Pot__TaskSpec task;
    Pot__ModelSpec model;
    Pot__OptimizerSpec optimizer;
    uint32_t layers[3];
    char name[16];
};
void fixture_spec(struct fixture_spec *out, const struct fixture *f);

/* fixture_submit: the task's name in *task. */
enum tx_verdict fixture_submit(struct fixture *f, const struct key *key,
                               struct fixture_spec *spec, uint64_t budget,
                               struct hash *task);

/* ---- rounds */

/* fixture_link: of a validator or a miner, of the task's open round.
 * fixture_secret: the one behind it, that of the next round. */
void fixture_link(struct hash *out, const struct key *key,
                  const Pot__TaskRecord *record);
void fixture_secret(struct hash *out, const struct key *key,
                    const Pot__TaskRecord *record);

/* fixture_submission: a gradient of miner, put among the blobs, whose
 * elements follow from salt; in a task with plants with the miner's link. */
Pot__Signed *fixture_submission(struct fixture *f, const struct key *miner,
                                const struct hash *task, uint64_t salt);

/* fixture_words: an attestation of the record's open round: with that link, and
 * a verdict on each of count submissions, which may be none. */
Pot__Signed *fixture_words(const struct fixture *f, const struct key *validator,
                           const Pot__TaskRecord *record, uint32_t sequence,
                           const struct hash *link,
                           const Pot__Signed *const *submissions, size_t count,
                           const Pot__Verdict *verdicts);

/* fixture_attestation: verdict on all count submissions; where that is a plain
 * accept, an audited one on what the validator has drawn. */
Pot__Signed *fixture_attestation(const struct fixture *f,
                                 const struct key *validator,
                                 const struct hash *task, uint32_t sequence,
                                 const Pot__Signed *const *submissions,
                                 size_t count, Pot__Verdict verdict);

/* What a node holds for a round; freed by fixture_held_clear. */
struct fixture_held {
    const Pot__Signed *submissions[FIXTURE_MESSAGES_MAX];
    size_t submission_count;
    const Pot__Signed *attestations[FIXTURE_MESSAGES_MAX];
    size_t attestation_count;
    struct round_candidate candidate; /* fixture_candidate's */
};
void fixture_held_clear(struct fixture_held *held);

/* fixture_candidate: all that is held now, until the next call. */
const struct round_candidate *fixture_candidate(struct fixture_held *held,
                                                const struct hash *task);

/* fixture_hold: submissions of the first miner_count miners, and attestations
 * of validator_count validators who accept them all. */
void fixture_hold(struct fixture *f, struct fixture_held *held,
                  const struct hash *task, size_t miner_count,
                  size_t validator_count, uint64_t salt);

/* fixture_make_round: ledger_make_round, but the state stays as it is; only
 * the aggregate is put among the blobs. */
enum round_verdict fixture_make_round(struct fixture *f,
                                      const struct ledger_block *block,
                                      const struct round_candidate *candidate,
                                      Pot__RoundUpdate **update);

/* fixture_play_round: holds, makes and applies a whole round in a block of
 * its own. */
enum round_verdict fixture_play_round(struct fixture *f,
                                      const struct hash *task,
                                      size_t miner_count, uint64_t salt);

/* fixture_start_task: data set published, miners staked, task submitted and
 * joined by them; the first round is open. */
void fixture_start_task(struct fixture *f, struct fixture_spec *spec,
                        uint64_t budget, size_t miner_count, struct hash *task);

#endif
