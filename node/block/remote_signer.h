/* remote_signer: pot-signer as a validator's key: asks it over its Unix socket
 * (proto/sign_frame.h) and waits for the answer.
 *
 * It waits on the loop, REMOTE_SIGNER_DEADLINE_MS at most: an answer takes a
 * sync of the disk.  A signer that gave none is left alone for a while, so that
 * one that hangs costs the node little.  All on the loop. */
#ifndef POT_NODE_BLOCK_REMOTE_SIGNER_H
#define POT_NODE_BLOCK_REMOTE_SIGNER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/key.h"

#define REMOTE_SIGNER_DEADLINE_MS 1000
#define REMOTE_SIGNER_PAUSE_MS    5000 /* after a deadline that was missed */

struct remote_signer; /* opaque: node/block/remote_signer.c */

/* remote_signer_open: connects, and learns whose key it is.
 *
 * Errors: POT_ELIMIT the path is too long for a socket
 *         POT_EGUARD the signer is for another chain
 *         POT_ENOENT there is no such socket
 *         POT_ECONNECT, POT_EIO... nobody answers there; *out is NULL then */
POT_MUST_USE enum pot_err remote_signer_open(struct remote_signer **out,
                                             const char *path,
                                             const struct hash *chain);
void remote_signer_close(struct remote_signer *signer);

/* remote_signer_key: a fresh key that signs by it; key_free before the signer
 * is closed. */
struct key *remote_signer_key(struct remote_signer *signer);

/* remote_signer_tick: each second or so: sees a signer that went away, and
 * connects to one that came back. */
void remote_signer_tick(struct remote_signer *signer);

struct remote_signer_stats {
    bool is_up;
    uint64_t signatures;
    uint64_t refused;   /* by its rules */
    uint64_t failed;    /* no answer */
    uint64_t waited_us; /* for all answers together */
};

void remote_signer_stats(const struct remote_signer *signer,
                         struct remote_signer_stats *out);

#endif
