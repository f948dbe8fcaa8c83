/* api_record: tasks, rounds and blocks as JSON, the same for requests and
 * for event streams; and reading them from the store. */
#ifndef POT_NODE_API_API_RECORD_H
#define POT_NODE_API_API_RECORD_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "node/block/execution.h"
#include "proto/block.h"
#include "proto/certificate.h"
#include "proto/chain.pb-c.h"
#include "proto/state.pb-c.h"
#include "storage/store.h"

json_t *api_record_task(const Pot__TaskRecord *task);

/* api_record_has_classes: whether its model tells classes apart: a model of
 * one output answers with a number. */
bool api_record_has_classes(const Pot__TaskSpec *spec);

/* api_record_round: what `watch` shows of a round that was closed at height,
 * ms after it opened.  Without classes there is no accuracy. */
json_t *api_record_round(const Pot__RoundUpdate *update, bool has_classes,
                         uint64_t height, uint64_t ms);

/* api_record_block: set is the one that signed it, NULL if it is not known;
 * certificate may be NULL. */
json_t *api_record_block(const struct block *block,
                         const struct validator_set *set,
                         const Pot__CommitCertificate *certificate);

json_t *api_record_reward(const struct store_reward *reward);

/* api_record_action: what a transaction does, "transfer". */
const char *api_record_action(const Pot__Signed *tx);

/* api_read_block: *size, may be NULL, is that of its encoding.  api_read_
 * certificate: of the block at height.  Fresh: block_free, codec_free.
 * Errors: the store's; POT_ECORRUPT what is stored does not decode. */
POT_MUST_USE enum pot_err api_read_block(struct block **out,
                                         struct store *store, uint64_t height,
                                         size_t *size);
POT_MUST_USE enum pot_err api_read_certificate(Pot__CommitCertificate **out,
                                               struct store *store,
                                               uint64_t height);

/* api_read_block_json: the block at height with its certificate. */
POT_MUST_USE enum pot_err api_read_block_json(json_t **out,
                                              const struct holdings *env,
                                              uint64_t height, size_t *size);

/* api_read_block_time: of the block at height; the genesis's is 0. */
POT_MUST_USE enum pot_err api_read_block_time(uint64_t *out,
                                              struct store *store,
                                              uint64_t height);

#endif
