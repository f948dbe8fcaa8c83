/* town: a chain in memory with four validators and miners that train for real:
 * the ledger, the exact kernels and the audit in one process, without a
 * network.  For adversaries.c. */
#ifndef POT_TESTS_BENCH_TOWN_H
#define POT_TESTS_BENCH_TOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/key.h"
#include "ledger/ledger.h"
#include "proto/model.h"
#include "proto/packed.h"
#include "tests/unit/memory_state.h"
#include "training/mlp.h"

#define TOWN_VALIDATORS 4
#define TOWN_FAULTS     1 /* validators that may be dishonest */
#define TOWN_MINERS     5
#define TOWN_KEYS       (TOWN_VALIDATORS + TOWN_MINERS + 1) /* and a client */

struct town {
    struct memory_state memory;
    struct ledger_env env;
    struct hash chain;
    Pot__GenesisParams params;
    struct key *keys[TOWN_KEYS];
    /* Behind their links, at random: validators', miners'. */
    struct hash secrets[TOWN_VALIDATORS];
    struct hash plant_secrets[TOWN_MINERS];
    uint64_t height;
    uint8_t *dataset_bytes;
    size_t dataset_size;
    struct dataset dataset;
    struct hash task;
    uint64_t stake; /* of a miner: the least that the ledger takes */
    uint32_t rows;  /* a miner and round */
    uint32_t block_rows;
    uint32_t local_steps; /* above 1: a block is the rows of one */
    struct model_shape shape;
    struct packed_form form; /* of payloads: int8 */
    struct mlp *mlp;
    Pot__TaskRecord *record; /* town_begin's */
    struct hash seed;        /* of its round */
    int32_t *theta;
    int32_t *theta_before; /* of the round before; theta in the first */
};

/* A gradient as it is submitted. */
struct town_gradient {
    uint8_t *payload;
    size_t size;
    int64_t *sums;  /* that it was quantised from */
    size_t divisor; /* of sums */
    int64_t loss;   /* Q40.24, mean */
};

/* town_open: a task of that many rounds is running, all miners are in it, and
 * its first round is open.  With local_steps above 1 miners take as many steps
 * of their own. */
void town_open(struct town *t, uint32_t rounds, uint32_t audit_rate_ppm,
               uint32_t plant_rate_ppm, uint32_t local_steps);
void town_close(struct town *t);

struct key *town_validator(const struct town *t, size_t i);
struct key *town_miner(const struct town *t, size_t i);

/* town_begin: reads the open round. */
void town_begin(struct town *t);

/* town_compute: the gradient of a miner's rows in the open round, of the first
 * count of them, as a mean over these; or the way of the local steps that these
 * are the rows of.  town_gradient_fini releases it. */
void town_compute(struct town *t, struct town_gradient *out,
                  const struct public_key *miner, const int32_t *theta,
                  size_t count);
void town_gradient_fini(struct town_gradient *gradient);

/* town_plants: makes the gradient of the miner a plant if that is due in the
 * open round; *secret: what says so. */
bool town_plants(const struct town *t, size_t miner,
                 struct town_gradient *gradient, struct hash *secret);

/* town_submission: signed; the payload is put among the blobs. */
Pot__Signed *town_submission(struct town *t, size_t miner,
                             const struct town_gradient *gradient);

/* town_draws: whether the validator has drawn that miner's submission of the
 * open round. */
bool town_draws(const struct town *t, size_t validator,
                const struct public_key *miner);

/* town_attestation: count judgements, which are put into their order. */
Pot__Signed *town_attestation(struct town *t, size_t validator, uint32_t round,
                              Pot__Judgement *judgements, size_t count);

/* town_close_round: makes and applies the round, with what can be counted. */
void town_close_round(struct town *t, const struct round_candidate *candidate);

/* town_challenge: secret: of the sender's own plant, or NULL.  False: the
 * ledger does not take it.  town_expose: adds a secret to what is challenged.
 * town_settle: by words in their order; it takes them. */
bool town_challenge(struct town *t, const struct key *by,
                    Pot__Signed *submission, const struct hash *secret);
void town_expose(struct town *t, const struct key *by,
                 const struct hash *submission, const struct hash *secret);
void town_settle(struct town *t, const struct key *by,
                 const struct hash *submission, Pot__Signed **words,
                 size_t count);

/* town_send: signs, pays the least fee, and applies. */
enum tx_verdict town_send(struct town *t, const struct key *key,
                          Pot__TxBody *body);

/* town_enter: the miner stakes what it lacks and joins, if it is not in. */
void town_enter(struct town *t, const struct key *miner);

/* town_end_block: the state is checked, too. */
void town_end_block(struct town *t);

/* town_worth: balance and stakes. */
uint64_t town_worth(const struct town *t, const struct key *key);

#endif
