/* task_replay: the rounds of an `exact` task computed again, from the seed of
 * its first parameters on, in one process and without any node's help: every
 * counted gradient, their aggregate, and the parameters.
 *
 * It is told what a chain says of each round and finds the first thing that is
 * not so.  Whether a quorum signed that is another question: potctl
 * verify-chain. */
#ifndef POT_REPLAY_TASK_REPLAY_H
#define POT_REPLAY_TASK_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/key.h"
#include "proto/chain.pb-c.h"
#include "proto/dataset.h"

struct task_replay; /* parameters and moments: replay/task_replay.c */

/* task_replay_new: spec is sound (spec_check), its lane `exact`; task, spec and
 * train are borrowed until task_replay_free.
 *
 * In:     kernel: "scalar", "avx2", "avx512", "neon", or "auto": the fastest
 *         that agrees with the scalar one here
 * Returns NULL: this processor has no such kernel, or train does not fit */
struct task_replay *task_replay_new(const struct hash *task,
                                    const Pot__TaskSpec *spec,
                                    const struct dataset *train,
                                    const char *kernel);
void task_replay_free(struct task_replay *replay); /* NULL is fine */

/* task_replay_kernel: the name of the kernel at work. */
const char *task_replay_kernel(const struct task_replay *replay);

/* task_replay_parameters: the hash of the parameters as they stand. */
struct hash task_replay_parameters(const struct task_replay *replay);

/* What can differ, in the order in which it is looked at. */
enum task_replay_difference {
    REPLAY_SAME,
    REPLAY_ROUND,      /* not the round that is due */
    REPLAY_FORM,       /* a counted submission that is none, or not of it */
    REPLAY_THETA,      /* computed on other parameters */
    REPLAY_PAYLOAD,    /* another gradient */
    REPLAY_LOSS,       /* another loss */
    REPLAY_NUMBER,     /* its gradient is not finite */
    REPLAY_AGGREGATE,  /* another sum */
    REPLAY_PARAMETERS, /* other parameters after the round */
};

struct task_replay_result {
    size_t plants; /* submissions that were false on purpose; REPLAY_SAME */
    enum task_replay_difference difference;
    bool has_miner; /* whose submission it is */
    struct public_key miner;
    bool has_hashes;
    struct hash told; /* by the chain */
    struct hash made; /* here */
};

/* task_replay_lacks_links: of a task with plants (proto/plant.h): whether a
 * link behind that of the round is unknown of a miner that update counts.
 * Without it a plant of that miner is another gradient.  task_replay_link:
 * tells one, of any round; the first one behind the round stays. */
bool task_replay_lacks_links(const struct task_replay *replay,
                             const Pot__RoundUpdate *update);
void task_replay_link(struct task_replay *replay,
                      const struct public_key *miner, uint32_t round,
                      const struct hash *link);

/* task_replay_opens: whether the block of this hash is the one that opened the
 * round of update: the first counted submission is of the rows that it drew.
 * True when nothing was counted. */
bool task_replay_opens(struct task_replay *replay,
                       const Pot__RoundUpdate *update,
                       const struct hash *block);

/* task_replay_round: the next round, opened by the block of this hash.  Unless
 * it is REPLAY_SAME, replay stays where it was. */
struct task_replay_result task_replay_round(struct task_replay *replay,
                                            const Pot__RoundUpdate *update,
                                            const struct hash *block);

/* task_replay_text: what differs, for people: "gradient". */
const char *task_replay_text(enum task_replay_difference difference);

#endif
