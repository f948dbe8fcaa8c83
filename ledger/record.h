/* record: messages and hashes under keys of the state map. */
#ifndef POT_LEDGER_RECORD_H
#define POT_LEDGER_RECORD_H

#include <protobuf-c/protobuf-c.h>

#include "ledger/keys.h"
#include "ledger/state.h"

/* record_load: fresh memory that codec_free releases; NULL when nothing
 * stands there.  record_store: its counterpart. */
void *record_load(const struct state *state, struct state_key key,
                  const ProtobufCMessageDescriptor *type);
void record_store(const struct state *state, struct state_key key,
                  const void *message);

/* hash_store: a bare hash under a key. */
void hash_store(const struct state *state, struct state_key key,
                const struct hash *hash);

#endif
