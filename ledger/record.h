/* record: messages, hashes and validator sets under keys of the state map. */
#ifndef POT_LEDGER_RECORD_H
#define POT_LEDGER_RECORD_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "ledger/keys.h"
#include "ledger/state.h"
#include "proto/validator_set.h"

/* record_load: fresh memory that codec_free releases; NULL when nothing
 * stands there.  record_store: its counterpart. */
void *record_load(const struct state *state, struct state_key key,
                  const ProtobufCMessageDescriptor *type);
void record_store(const struct state *state, struct state_key key,
                  const void *message);

/* record_load_hash: a bare hash; false when nothing stands there, *out is
 * untouched then.  record_store_hash: its counterpart. */
bool record_load_hash(const struct state *state, struct state_key key,
                      struct hash *out);
void record_store_hash(const struct state *state, struct state_key key,
                       const struct hash *hash);

/* record_load_set: a validator set; false when nothing stands there, *out is
 * untouched then.  record_store_set: its counterpart. */
bool record_load_set(const struct state *state, struct state_key key,
                     struct validator_set *out);
void record_store_set(const struct state *state, struct state_key key,
                      const struct validator_set *set);

#endif
