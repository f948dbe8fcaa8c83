/* stored: what the store holds, as the rest of the node reads it: the state
 * at the tip, blocks and certificates.  Any thread. */
#ifndef POT_NODE_HOLD_STORED_H
#define POT_NODE_HOLD_STORED_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "ledger/state.h"
#include "proto/block.h"
#include "proto/chain.pb-c.h"
#include "proto/state.pb-c.h"

struct store;

/* stored_state: the state at the tip, read-only: put and del are NULL. */
struct state stored_state(struct store *store);

/* stored_view_state: the same, but the view remembers the first read that
 * failed: a state cannot say more of it than that nothing is there.  A view
 * is used by one thread at a time. */
struct stored_view {
    struct store *store;
    enum pot_err err; /* of a read; POT_OK: all that was read is so */
};

struct state stored_view_state(struct stored_view *view);

/* stored_block: block_free releases *out, which is NULL on an error.
 *
 * Errors: POT_ENOENT no block stands there, or it is the genesis, which is
 *         none; POT_EPRUNED its header is all that is held; POT_ECORRUPT; the
 *         store's */
POT_MUST_USE enum pot_err stored_block(struct block **out, struct store *store,
                                       uint64_t height);

/* stored_header: of a block that is held or pruned, with the block's hash.
 * codec_free releases *out, which is NULL on an error.  Errors: those of
 * stored_block but POT_EPRUNED. */
POT_MUST_USE enum pot_err stored_header(Pot__BlockHeader **out,
                                        struct hash *hash, struct store *store,
                                        uint64_t height);

/* stored_header_bytes: the same as it was hashed; out is cleared and
 * filled. */
POT_MUST_USE enum pot_err stored_header_bytes(struct buf *out,
                                              struct store *store,
                                              uint64_t height);

/* What other things refer to of a block. */
struct stored_mark {
    struct hash hash;
    uint64_t time_ms; /* of its header, since the epoch */
};

/* stored_block_mark: Errors: those of stored_header. */
POT_MUST_USE enum pot_err stored_block_mark(struct stored_mark *out,
                                            struct store *store,
                                            uint64_t height);

/* stored_certificate: codec_free releases *out, which is NULL on an error.
 * Errors: those of stored_block. */
POT_MUST_USE enum pot_err stored_certificate(Pot__CommitCertificate **out,
                                             struct store *store,
                                             uint64_t height);

/* stored_round_opening: the height whose block opened a round of a task: the
 * one that closed the round before, or the one that took the task.  When the
 * round before is pruned, the height of 0 says that it is not known.
 *
 * In:     task: its id; record: what the state says of it
 * Errors: the store's */
POT_MUST_USE enum pot_err stored_round_opening(uint64_t *height,
                                               struct store *store,
                                               const struct hash *task,
                                               const Pot__TaskRecord *record,
                                               uint32_t round);

#endif
