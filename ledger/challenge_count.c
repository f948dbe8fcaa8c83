#include "config.h"

#include "ledger/challenge_count.h"

#include "base/check.h"
#include "ledger/list.h"
#include "proto/codec.h"

static size_t count_of_task(const struct state *state, const struct hash *task)
{
    return list_count(state, keys_challenges_task(task));
}

size_t ledger_challenges_left(const struct state *state,
                              const struct hash *task,
                              const struct public_key *challenger)
{
    size_t of_task = count_of_task(state, task);
    size_t own = list_count(state, keys_challenges_own(challenger));
    size_t left_of_task =
        of_task < CHALLENGES_TASK_MAX ? CHALLENGES_TASK_MAX - of_task : 0;
    size_t left = own < CHALLENGES_OWN_MAX ? CHALLENGES_OWN_MAX - own : 0;
    return left < left_of_task ? left : left_of_task;
}

enum tx_verdict challenge_count_check(const struct state *state,
                                      const struct hash *task,
                                      const struct public_key *challenger)
{
    if (ledger_challenges_left(state, task, challenger) > 0) {
        return TX_ACCEPTED;
    }
    return count_of_task(state, task) < CHALLENGES_TASK_MAX
               ? TX_CHALLENGES_OWN
               : TX_CHALLENGES_TASK;
}

struct names {
    struct hash submission;
    struct hash task;
    struct public_key challenger;
};

static void read_names(struct names *out, const Pot__ChallengeRecord *challenge)
{
    bool is_right = codec_hash(&out->submission, challenge->submission) &&
                    codec_hash(&out->task, challenge->task) &&
                    codec_key(&out->challenger, challenge->challenger);
    POT_ASSERT(is_right);
}

void challenge_count_add(const struct state *state,
                         const Pot__ChallengeRecord *challenge)
{
    struct names n;
    read_names(&n, challenge);
    list_append(state, keys_challenges_task(&n.task), n.submission.b);
    list_append(state, keys_challenges_own(&n.challenger), n.submission.b);
}

void challenge_count_remove(const struct state *state,
                            const Pot__ChallengeRecord *challenge)
{
    struct names n;
    read_names(&n, challenge);
    list_remove(state, keys_challenges_task(&n.task), n.submission.b);
    list_remove(state, keys_challenges_own(&n.challenger), n.submission.b);
}
