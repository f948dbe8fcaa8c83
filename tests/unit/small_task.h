/* small_task: a running task of eight parameters, its first round open, and
 * what its miners submit. */
#ifndef POT_TESTS_UNIT_SMALL_TASK_H
#define POT_TESTS_UNIT_SMALL_TASK_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/key.h"
#include "proto/state.pb-c.h"

#define SMALL_TASK_PARAMETERS 8
#define SMALL_TASK_TIMEOUT_MS 60000 /* of rounds */
#define SMALL_TASK_ROSTER_MAX 4

/* small_task_record: with these miners in its roster; codec_free releases it.
 */
Pot__TaskRecord *small_task_record(const struct hash *task,
                                   const struct public_key *miners,
                                   size_t count);

/* small_task_payload: a gradient with that fifth element; its size. */
#define SMALL_TASK_PAYLOAD_MAX 64
size_t small_task_payload(uint8_t out[static SMALL_TASK_PAYLOAD_MAX],
                          int32_t fifth);

/* small_task_submission: a miner's, of a payload; codec_free releases it. */
struct small_task_answer {
    const struct hash *chain;
    const struct hash *task;
    const struct hash *payload;
    size_t payload_bytes;
    const struct hash *salt;
};
Pot__Signed *small_task_submission(const struct small_task_answer *answer,
                                   const struct key *miner);

#endif
