/* sign_state: what this node has signed, on disk before it is on the wire.
 *
 * One opaque record, replaced as a whole.  The file has two slots, written in
 * turn and synced: a write that a crash tears leaves the record before it.
 * The file is bound to a key and a chain, and locked while it is open. */
#ifndef POT_STORAGE_SIGN_STATE_H
#define POT_STORAGE_SIGN_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/key.h"
#include "base/limits.h"

#define SIGN_STATE_RECORD_MAX ((size_t)PBFT_RECORD_BYTES_MAX)

struct sign_state; /* opaque: storage/sign_state.c */

/* sign_state_create: a new file with an empty record, whole or not at all.
 * Whoever creates one says that this key never signed on this chain.
 *
 * Errors: POT_EEXIST there is a file; POT_ENOENT no such folder;
 *         POT_EACCESS, POT_EFULL, POT_EIO */
POT_MUST_USE enum pot_err sign_state_create(const char *path,
                                            const struct public_key *key,
                                            const struct hash *chain);

/* sign_state_open: the last record that was saved.
 *
 * Errors: POT_ENOENT   there is no file
 *         POT_EGUARD   it belongs to another key or chain
 *         POT_ECORRUPT both slots are damaged
 *         POT_EBUSY    another process has it open
 *         POT_EACCESS, POT_EIO; *out is NULL then */
POT_MUST_USE enum pot_err sign_state_open(struct sign_state **out,
                                          const char *path,
                                          const struct public_key *key,
                                          const struct hash *chain);
void sign_state_close(struct sign_state *state);

/* sign_state_is_torn: the record may be the last but one: a crash tore the
 * write of the last, which nothing was sent of, or the disk lost it.  Whoever
 * goes on asks others what the key signed (node/block/guard.h). */
bool sign_state_is_torn(const struct sign_state *state);

/* sign_state_record: borrows the record until the next save; *size is 0
 * when nothing has been saved. */
const void *sign_state_record(const struct sign_state *state, size_t *size);

/* sign_state_save: on disk when it returns POT_OK; until then nothing that
 * depends on it may leave.
 *
 * Errors: POT_EFULL the old record stands, another save may succeed
 *         POT_EIO   the disk failed: every later save fails too, until
 *                   sign_state_renew */
POT_MUST_USE enum pot_err sign_state_save(struct sign_state *state,
                                          const void *data, size_t size);

/* sign_state_renew: the last record that was saved, in a new file: see
 * slot_file_renew. */
POT_MUST_USE enum pot_err sign_state_renew(struct sign_state *state);

#endif
