/* pbft_state: the state of struct pbft and what its parts call in each other.
 * Private to consensus/.
 *
 * States of a replica at a height, and the function on each edge:
 *
 *     begin_height (pbft.c)
 *            |
 *            v       view_change_begin                 view_change_enter
 *   +---> NORMAL(v) -------------------> CHANGING(w>v) -----> NORMAL(w)
 *   |        |        (timer, f+1 rule,      |   ^  |
 *   |        |         invalid block)        |   +--+ view_change_begin
 *   |        | normal_decide                 | normal_decide
 *   |        v                               v
 *   +---- DECIDED: waits for PBFT_COMMITTED, which moves any state to the
 *         next height
 *
 * The view never goes back within a height, and a vote is cast once in a
 * view and phase: both are in the record before a message shows them. */
#ifndef POT_CONSENSUS_PBFT_STATE_H
#define POT_CONSENSUS_PBFT_STATE_H

#include "consensus/body.h"
#include "consensus/outbox.h"
#include "consensus/pbft.h"
#include "consensus/pbft_message.h"
#include "consensus/votes.h"

/* An own vote at (height, view). */
struct own_vote {
    bool is_cast;
    bool is_durable; /* in a record that PERSISTED has confirmed */
    struct hash digest;
    struct signature signature;
};

/* The block that this view is about. */
struct proposal {
    struct body *body;          /* NULL: none accepted yet */
    struct vote vote;           /* the primary's, once it is known */
    struct signature signature; /* of vote */
    bool is_signed;             /* vote and signature are set */
};

struct pbft {
    struct hash chain;
    const struct key *key;
    uint32_t propose_timeout_ms;
    uint32_t propose_timeout_max_ms;
    uint32_t idle_interval_ms;

    struct validator_set set;
    uint64_t set_id;
    uint32_t self; /* own index in set, or PBFT_NO_REPLICA */

    uint64_t height;     /* the one being agreed on */
    struct hash tip;     /* hash of height - 1 */
    uint64_t start_view; /* start_view <= view */
    uint64_t view;
    bool is_changing;
    uint32_t attempts;     /* views given up since the last commit */
    uint64_t view_changes; /* begun in all */

    struct proposal proposal;
    struct own_vote own[VOTES_PHASES + 1]; /* by Pot__Phase */
    struct votes votes;

    Pot__PreparedCertificate *prepared; /* the highest at this height */
    struct body *prepared_body;         /* NULL exactly when prepared is */

    Pot__ViewChange *own_change; /* the latest sent at this height */
    Pot__ViewChange *changes[VALIDATORS_MAX]; /* the latest of each */
    Pot__NewView *new_view; /* what opened view; NULL in start_view */

    bool is_decided; /* a commit certificate is held */
    bool is_commit_told;
    uint64_t decided_view;
    struct hash decided_digest;
    uint8_t *decided_certificate; /* encoded; NULL unless is_decided */
    size_t decided_certificate_size;

    bool is_wanting; /* the block of `wanted` is missing */
    struct hash wanted;
    uint32_t ask_cursor;
    struct body *fetched;

    /* Messages that came too soon, encoded: for a higher view, and for
     * height + 1. */
    struct early_message {
        uint8_t *data;
        size_t size;
        uint64_t view;
    } early_proposal, next_proposal, next[VALIDATORS_MAX][3];

    uint64_t heights[VALIDATORS_MAX]; /* the highest seen signed by each */
    uint64_t sync_told;
    bool is_accused[VALIDATORS_MAX];  /* evidence was given at this height */
    bool is_answered[VALIDATORS_MAX]; /* since the last resend */

    bool has_work;
    bool is_proposing;    /* PROPOSE waits for its PROPOSAL */
    bool is_idle_granted; /* the view's timer has the idle interval in it */
    bool is_view_timed;   /* the view's timer runs */
    uint64_t generations[PBFT_TIMERS];
    uint64_t checking_ms; /* time-outs spent in this view on the own check */
    uint32_t ticks;       /* resends in this view */

    struct outbox outbox;
    bool is_dirty;                 /* the record must be written */
    Pot__PbftRecord *later_record; /* of a height that is yet to come */

    struct pbft_effects *effects; /* of the step being taken */
};

/* ---- pbft.c */
bool pbft_can_vote(const struct pbft *p);
uint32_t pbft_quorum(const struct pbft *p);
uint32_t pbft_primary(const struct pbft *p);
bool pbft_is_primary(const struct pbft *p);
struct pbft_effect *pbft_emit(struct pbft *p, enum pbft_effect_type type);
void pbft_set_timer(struct pbft *p, enum pbft_timer timer, uint64_t delay_ms);
void pbft_stop_timer(struct pbft *p, enum pbft_timer timer);
void pbft_time_view(struct pbft *p, uint64_t extra_ms);
uint64_t pbft_timeout(const struct pbft *p);
void pbft_leave_view(struct pbft *p, uint64_t view);
void pbft_dispatch(struct pbft *p, const Pot__ConsensusMessage *message,
                   uint32_t from);

/* ---- normal.c: section 4.2 */
void normal_propose(struct pbft *p);
void normal_on_proposal(struct pbft *p, const struct pbft_event *event);
void normal_on_checked(struct pbft *p, const struct pbft_event *event);
void normal_on_pre_prepare(struct pbft *p, const Pot__PrePrepare *message);
void normal_on_vote(struct pbft *p, const Pot__Vote *message);
void normal_add_vote(struct pbft *p, const struct vote *vote,
                     const struct signature *signature);
void normal_try_prepared(struct pbft *p);
void normal_try_decide(struct pbft *p, uint64_t view,
                       const struct hash *digest);
void normal_tell_commit(struct pbft *p);

/* ---- view_change.c: section 4.4 */
void view_change_begin(struct pbft *p, uint64_t view);
void view_change_on_message(struct pbft *p, const Pot__ViewChange *message);
void view_change_on_new_view(struct pbft *p, const Pot__NewView *message);
void view_change_on_own(struct pbft *p);
void view_change_resume(struct pbft *p);
/* The certificate whose block the view must propose again, or NULL. */
const Pot__PreparedCertificate *view_change_selected(
    const Pot__NewView *new_view);

/* ---- fetch.c: blocks by digest */
struct body *fetch_find(struct pbft *p, const struct hash *digest);
void fetch_want(struct pbft *p, const struct hash *digest);
void fetch_ask(struct pbft *p);
void fetch_on_request(struct pbft *p, const Pot__ProposalRequest *message,
                      uint32_t from);
void fetch_on_proposal(struct pbft *p, const Pot__Proposal *message);
void fetch_on_block(struct pbft *p, const struct hash *digest,
                    const void *block, size_t size);

/* ---- resend.c */
void resend_tick(struct pbft *p);
void resend_new_view(struct pbft *p, uint32_t replica);

/* ---- early.c: messages that come too soon or too late */
void early_sort(struct pbft *p, const Pot__ConsensusMessage *message,
                uint32_t from);
void early_replay_proposal(struct pbft *p);
void early_replay_next(struct pbft *p);
void early_clear(struct pbft *p, bool is_next_too);
void early_tell_sync(struct pbft *p, bool is_again);

/* ---- pbft_record.c */
uint8_t *pbft_record_encode(size_t *size, const struct pbft *p);
POT_MUST_USE Pot__PbftRecord *pbft_record_open(const struct pbft_config *config,
                                               const void *data, size_t size,
                                               enum pot_err *err);
void pbft_record_restore(struct pbft *p, const Pot__PbftRecord *record);

#endif
