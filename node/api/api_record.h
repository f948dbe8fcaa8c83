/* api_record: tasks, rounds and transactions as JSON, the same wherever the
 * API tells of them.  Any thread. */
#ifndef POT_NODE_API_API_RECORD_H
#define POT_NODE_API_API_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/chain.pb-c.h"
#include "proto/state.pb-c.h"

json_t *api_record_task(const Pot__TaskRecord *task);

/* api_record_has_classes: whether its model tells classes apart: a model of
 * one output answers with a number. */
bool api_record_has_classes(const Pot__TaskSpec *spec);

/* api_record_round: what `watch` shows of a round that was closed at height,
 * ms after it opened.  Without classes there is no accuracy. */
json_t *api_record_round(const Pot__RoundUpdate *update, bool has_classes,
                         uint64_t height, uint64_t ms);

/* api_record_add_tx: to json, what a transaction does and who sent it. */
void api_record_add_tx(json_t *json, const Pot__Signed *tx);

/* api_record_add_evidence: to json, whom a proof accuses of what, and who
 * found it. */
void api_record_add_evidence(json_t *json, const Pot__Signed *proof);

/* api_record_challenge: a challenge and what came of it. */
json_t *api_record_challenge(const Pot__ChallengeRecord *challenge);

#endif
