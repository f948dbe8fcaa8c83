/* suspicion: the primary does answer, and yet serves badly: it is slow
 * (pace.h), or the caller says that it leaves out work (PBFT_SUSPECT).
 *
 * A replica that thinks so says so, and stays in the view.  Once f + 1 say it
 * of the present view, one of them is honest, and all leave the view.  So a
 * faulty replica cannot turn the views by claims, nor make an honest one
 * stand apart; and what each finds out at another height adds up, since views
 * live across heights.  Nothing of it needs to be durable: a suspicion
 * contradicts nothing that its signer has said or will say. */
#ifndef POT_CONSENSUS_SUSPICION_H
#define POT_CONSENSUS_SUSPICION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "proto/consensus.pb-c.h"

struct pbft;

/* What a replica said last. */
struct suspicion_heard {
    uint64_t view;
    uint64_t height; /* only later ones count: no word is replayed */
    uint64_t until_ms;
};

/* A zeroed struct: nobody suspects anybody. */
struct suspicion {
    uint64_t censored_view;     /* the caller's last word... */
    uint64_t censored_until_ms; /* ...and how long it stands */
    struct suspicion_heard heard[VALIDATORS_MAX];
};

/* suspicion_of_caller: the primary of view leaves out work. */
void suspicion_of_caller(struct pbft *p, uint64_t view);

void suspicion_on_message(struct pbft *p, const Pot__Suspicion *message);

/* suspicion_tell: says the own one to all, if there is one. */
void suspicion_tell(struct pbft *p);

/* suspicion_weigh: leaves the view when enough replicas suspect its
 * primary. */
void suspicion_weigh(struct pbft *p);

#endif
