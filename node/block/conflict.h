/* conflict: commit certificates of one height for different blocks.
 *
 * Each is a quorum's, so f + 1 keys at least stand in both: more than f
 * validators are faulty, and the chain is no longer one.  Those who stand in
 * both for the same view said two things, which is evidence; of two views it
 * takes a view change to show who lied (consensus/accuse.h), and nothing comes
 * of it here. */
#ifndef POT_NODE_BLOCK_CONFLICT_H
#define POT_NODE_BLOCK_CONFLICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "proto/chain.pb-c.h"

struct block;
struct holdings;
struct validator_set;

/* Encoded EvidenceBodies, whose signatures nobody has checked yet.  A zeroed
 * one holds none. */
struct conflict {
    bool is_found;
    size_t count;
    struct {
        uint8_t *data;
        size_t size;
    } * proofs;
};

/* conflict_compare: set signs that height.  Nothing is found in two
 * certificates of the same block. */
void conflict_compare(struct conflict *out, const struct validator_set *set,
                      const Pot__CommitCertificate *a,
                      const Pot__CommitCertificate *b);

/* conflict_at_tip: a certified block that claims to follow the tip, of this
 * height and hash, brings its parent's certificate: beside our own.  Reads the
 * store: off the loop. */
void conflict_at_tip(struct conflict *out, const struct holdings *holdings,
                     uint64_t height, const struct hash *tip,
                     const struct block *block);

void conflict_fini(struct conflict *conflict);

#endif
