/* pbft_effects: what a step of a replica asks of its caller. */
#ifndef POT_CONSENSUS_PBFT_EFFECTS_H
#define POT_CONSENSUS_PBFT_EFFECTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "proto/block.h"

enum pbft_timer {
    PBFT_TIMER_VIEW,    /* the view has made no progress */
    PBFT_TIMER_RESEND,  /* messages may have been lost */
    PBFT_TIMER_PROPOSE, /* the primary's next try, or its idle block */
};
#define PBFT_TIMERS 3

enum pbft_effect_type {
    PBFT_PERSIST,   /* make bytes durable, then say PERSISTED(sequence) */
    PBFT_BROADCAST, /* send bytes (a ConsensusMessage) to all other replicas */
    PBFT_SEND,      /* send bytes to `replica` alone */
    PBFT_SET_TIMER, /* replaces the timer of the same name */
    PBFT_PROPOSE,   /* build a block for (height, view) on top of the tip */
    PBFT_CHECK,     /* execute bytes (a Block) and say whether it is valid */
    PBFT_COMMIT,    /* bytes is final by certificate: store it */
    PBFT_SYNC,      /* blocks up to height are provably committed: fetch */
    PBFT_EVIDENCE,  /* `replica` contradicted itself: bytes (an EvidenceBody)
                     * proves it to anyone; told once a replica and height,
                     * kept nowhere */
};

/* Which fields hold what, by type; all others are zero:
 *   PERSIST    sequence, bytes            BROADCAST  bytes
 *   SEND       replica, bytes             SET_TIMER  timer, generation,
 *                                                    delay_ms
 *   PROPOSE    height, view               CHECK      height, digest, bytes,
 *                                                    opened
 *   COMMIT     height, view, digest, bytes, opened, certificate
 *   SYNC       height                     EVIDENCE   height, replica, bytes */
struct pbft_effect {
    enum pbft_effect_type type;
    uint64_t height;
    uint64_t view;
    struct hash digest;
    uint8_t *bytes;
    size_t size;
    struct block *opened; /* the block in bytes; NULL: told before */
    uint8_t *certificate; /* a CommitCertificate */
    size_t certificate_size;
    uint64_t sequence;
    uint32_t replica; /* index in pbft_validators */
    enum pbft_timer timer;
    uint64_t generation;
    uint64_t delay_ms;
};

/* A zeroed struct is empty.  Owns its items' bytes, blocks and certificates;
 * take them by setting the pointer to NULL. */
struct pbft_effects {
    struct pbft_effect *items;
    size_t count;
    size_t capacity;
};

/* pbft_effects_add: one more, zero but for its type; borrowed, and good
 * until the next one is added. */
struct pbft_effect *pbft_effects_add(struct pbft_effects *effects,
                                     enum pbft_effect_type type);

/* pbft_effects_fini: empty again. */
void pbft_effects_fini(struct pbft_effects *effects);

#endif
