/* decision: a height's end: the block that a quorum has committed to. */
#ifndef POT_CONSENSUS_DECISION_H
#define POT_CONSENSUS_DECISION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

struct pbft;

/* A zeroed struct: nothing is decided. */
struct decision {
    bool is_made; /* a commit certificate is held; the rest belongs to it */
    bool is_told; /* by COMMIT: its block is held, too */
    uint64_t view;
    struct hash digest;
    uint8_t *certificate; /* a CommitCertificate; NULL unless is_made */
    size_t certificate_size;
};

/* decision_try: a quorum of commits decides in any view, also in one that
 * was left; then tells it. */
void decision_try(struct pbft *p, uint64_t view, const struct hash *digest);

/* decision_tell: emits COMMIT, or fetches the block that it needs; is_made
 * and not is_told. */
void decision_tell(struct pbft *p);

void decision_clear(struct decision *decision);

#endif
