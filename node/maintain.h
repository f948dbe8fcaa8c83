/* maintain: what an operator does with a node's store: potd --backup-store,
 * --compact-store, --rollback and --resync.  The node must not run, but for a
 * backup.  Each says on stdout what it did, and on stderr what went wrong; a
 * result is there as a whole or not at all. */
#ifndef POT_NODE_MAINTAIN_H
#define POT_NODE_MAINTAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/exit_code.h"

struct node_config;

/* maintain_has_store: whether home has one; told on stderr if not.  Ask before
 * whatever opens a store: that would make an empty one in a mistyped home. */
bool maintain_has_store(const struct node_config *config);

/* maintain_backup: store, genesis and config to a new folder; no keys, and no
 * sign state: an old one put back is how a validator signs twice. */
enum exit_code maintain_backup(const struct node_config *config,
                               const char *folder);

/* maintain_compact: the store without its free pages, in its place. */
enum exit_code maintain_compact(const struct node_config *config);

struct rollback {
    bool is_back; /* by so many blocks; otherwise to this height */
    uint64_t count;
};

/* maintain_rollback: the store as it was at an earlier height, executed again
 * from the genesis; the old one is moved aside.  The sign state stays: the
 * node votes again when it is past what it signed. */
enum exit_code maintain_rollback(const struct node_config *config,
                                 const struct rollback *rollback);

/* maintain_resync: moves the store aside; the next start begins from the
 * genesis.  Keys, sign state and data sets stay. */
enum exit_code maintain_resync(const struct node_config *config);

#endif
