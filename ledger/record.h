/* record: typed access to the state map: records, accounts, lists of hashes
 * and the blobs that tasks hold. */
#ifndef POT_LEDGER_RECORD_H
#define POT_LEDGER_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/key.h"
#include "ledger/keys.h"
#include "ledger/ledger.h"

/* record_load: fresh memory that codec_free releases; NULL when nothing
 * stands there.  record_store: its counterpart. */
void *record_load(const struct state *state, struct state_key key,
                  const ProtobufCMessageDescriptor *type);
void record_store(const struct state *state, struct state_key key,
                  const void *message);

/* hash_store: a bare hash under a key. */
void hash_store(const struct state *state, struct state_key key,
                const struct hash *hash);

/* ---- accounts: ledger_account loads one */

void account_store(const struct state *state, const struct public_key *key,
                   const struct account *account);

/* account_credit: cannot overflow, the whole supply fits. */
void account_credit(const struct state *state, const struct public_key *key,
                    uint64_t units);

/* account_debit: false, and nothing written, if the balance is too low. */
POT_MUST_USE bool account_debit(const struct state *state,
                                const struct public_key *key, uint64_t units);

/* ---- lists of 32-byte values under one key */

size_t list_count(const struct state *state, struct state_key key);

/* list_append: at the end.  list_insert: in ascending order, where the list
 * is kept so.  list_remove: wherever it is, if at all. */
void list_append(const struct state *state, struct state_key key,
                 const uint8_t value[static 32]);
void list_insert(const struct state *state, struct state_key key,
                 const uint8_t value[static 32]);
void list_remove(const struct state *state, struct state_key key,
                 const uint8_t value[static 32]);

/* ---- blobs that tasks hold, counted */

/* held_put: stores the blob for one more holder.  held_drop: one holder
 * less, the last one deletes it. */
void held_put(const struct ledger_env *env, struct hash *hash, const void *data,
              size_t size);
/* held_put_named: the same for a blob whose hash is known. */
void held_put_named(const struct ledger_env *env, const struct hash *hash,
                    const void *data, size_t size);
void held_drop(const struct ledger_env *env, const struct hash *hash);

#endif
