/* pbft_state: the state of struct pbft.  Private to consensus/.
 *
 * States of a replica at a height, and the function on each edge:
 *
 *     begin_height (pbft.c)
 *            |
 *            v           view_give_up                  enter (view_change.c)
 *   +---> NORMAL(v) -------------------> CHANGING(w>v) -----> NORMAL(w)
 *   |        |       (timer, f + 1 rule,     |   ^  |
 *   |        |        suspicion, bad block)  |   +--+ view_give_up
 *   |        | decision_try                  | decision_try
 *   |        v                               v
 *   +---- DECIDED: waits for PBFT_COMMITTED, which moves any state to the
 *         next height
 *
 * A NORMAL replica enters a later view without CHANGING when it is shown how
 * that one was opened.  A replica that may not vote (an observer, or one
 * whose record is of a later height, or that is held) is SILENT: it follows in
 * the same way, but signs nothing, checks nothing and times no view.
 *
 * The view never goes back within a height, and a vote is cast once in a
 * view and phase: both are in the record before a message shows them.  But for
 * one: a replica that has committed at the height before votes first in the
 * view in which the next one begins while only that record knows that it may.
 * So a restart that finds no later record leaves that view without a vote.
 *
 * Each part knows only parts in lines above its own, and its part of the
 * state stands in its header:
 *
 *     pbft_block  votes  outbox  vouched  pbft_message  pbft_effects  pace
 *     early  pbft_timers  pbft_mark  pbft_record
 *     accuse  ahead  fetch  view
 *     decision  spare  suspicion
 *     resend
 *     normal
 *     view_change
 *     pbft */
#ifndef POT_CONSENSUS_PBFT_STATE_H
#define POT_CONSENSUS_PBFT_STATE_H

#include "consensus/accuse.h"
#include "consensus/ahead.h"
#include "consensus/decision.h"
#include "consensus/early.h"
#include "consensus/fetch.h"
#include "consensus/outbox.h"
#include "consensus/pace.h"
#include "consensus/pbft.h"
#include "consensus/pbft_block.h"
#include "consensus/pbft_mark.h"
#include "consensus/pbft_message.h"
#include "consensus/pbft_timers.h"
#include "consensus/suspicion.h"
#include "consensus/view.h"
#include "consensus/votes.h"

/* An own vote at (height, view). */
struct own_vote {
    bool is_cast;
    bool is_durable; /* is_cast, and what it waited for in the outbox is */
    struct hash digest;
    struct signature signature;
};

/* Leave to cast the first vote of a view, the prepare or pre-prepare, without
 * a record of its own: the record of the height before says that it may have
 * been. */
struct advance {
    uint64_t height; /* 0: none */
    uint64_t views;  /* in views below it */
};

/* The block that this view is about. */
struct proposal {
    struct pbft_block *block;   /* NULL: none accepted yet */
    struct vote vote;           /* the primary's, once it is known */
    struct signature signature; /* of vote */
    bool is_signed;             /* vote and signature are set, and block */
};

struct pbft {
    /* ---- For the replica's life, but for the set. */
    struct hash chain;
    const struct key *key; /* NULL: observer */
    uint32_t propose_timeout_ms;
    uint32_t propose_timeout_max_ms;
    uint32_t idle_interval_ms;
    struct validator_set set;
    uint64_t set_id; /* changes whenever set does */
    uint32_t self;   /* own index in set, or PBFT_NO_REPLICA */
    uint64_t view_changes[PBFT_CHANGES]; /* in all */
    enum pbft_change last_change;
    struct pace pace;
    struct suspicion suspicion;
    struct pbft_timers timers;
    struct ahead ahead;
    struct early early;
    struct outbox outbox;
    struct heard last;             /* of the height before */
    Pot__PbftRecord *later_record; /* of a height > `height`, or NULL */
    bool is_held;                  /* until PBFT_RELEASE */
    bool is_counted;               /* pbft_config */
    bool is_recovering; /* is_held, and what was signed is not known */
    struct pbft_mark signed_last; /* of all records so far, the furthest */
    struct advance advance;       /* by the record asked for last */
    struct advance spent; /* what an earlier life of the process may have used:
                           * it votes in none of these views again */

    /* ---- Of the height. */
    uint64_t height; /* the one being agreed on */
    struct hash tip; /* hash of height - 1 */
    uint64_t view;
    uint64_t start_view; /* start_view <= view */
    bool is_changing;    /* view is not open yet: nothing is voted for in it */
    uint32_t attempts;   /* views given up */
    bool has_work;
    struct votes votes;
    Pot__PreparedCertificate *prepared; /* the highest; its view <= view */
    struct pbft_block *prepared_block;  /* NULL exactly when prepared is */
    Pot__ViewChange *own_change;        /* the latest sent; its view <= view */
    Pot__ViewChange *changes[VALIDATORS_MAX]; /* the latest of each; the own
                                               * one once it is durable */
    struct fetch fetch;
    struct decision decision;
    bool is_accused[VALIDATORS_MAX];  /* evidence was given */
    bool is_answered[VALIDATORS_MAX]; /* since the last resend */

    /* ---- Of the view. */
    Pot__NewView *new_view; /* what opened it; NULL in start_view */
    struct proposal proposal;
    struct own_vote own[VOTES_PHASES + 1]; /* by Pot__Phase */
    bool is_proposing;                     /* PROPOSE waits for its PROPOSAL */
    uint64_t checking_ms; /* time-outs spent on the own check */
    uint32_t ticks;       /* resends */

    /* ---- Of the step being taken. */
    bool is_started;
    uint64_t now_ms; /* of the last one, until the next */
    bool is_dirty;   /* the record must be written */
    bool is_ahead;   /* a vote was cast that waits for no new record */
    struct pbft_effects *effects;
};

static inline bool pbft_can_vote(const struct pbft *p)
{
    return p->self != PBFT_NO_REPLICA && p->later_record == NULL && !p->is_held;
}

static inline uint32_t pbft_quorum(const struct pbft *p)
{
    return validator_set_quorum(p->set.count);
}

static inline uint32_t pbft_primary(const struct pbft *p)
{
    return validator_set_primary(p->set.count, p->view);
}

static inline bool pbft_is_primary(const struct pbft *p)
{
    return p->self == pbft_primary(p);
}

/* pbft_own_vote: what was cast in a phase of this view. */
static inline struct vote pbft_own_vote(const struct pbft *p, Pot__Phase phase)
{
    return (struct vote){phase, p->height, p->view, p->own[phase].digest,
                         p->self};
}

static inline struct pbft_effect *pbft_emit(struct pbft *p,
                                            enum pbft_effect_type type)
{
    return pbft_effects_add(p->effects, type);
}

#endif
