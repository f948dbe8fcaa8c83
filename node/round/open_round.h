/* open_round: one open round as a validator sees it: the submissions it
 * holds and its verdicts on them (node/round/judging.c), its own and the
 * others' attestations (node/round/attesting.c), and whether it could be
 * closed.
 *
 * A submission's way, with the function on each edge:
 *
 *   judging_take -> FETCHING --on_payload--> judge -> JUDGING --on_audited-,
 *                   |     ^                  |  ^        |                 v
 *                   v     | tick             |  | tick   | failed       JUDGED
 *                  LOST --'                  |  WAITING <'                 ^
 *                                            '-----------------------------'
 */
#ifndef POT_NODE_ROUND_OPEN_ROUND_H
#define POT_NODE_ROUND_OPEN_ROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/hash.h"
#include "base/map.h"
#include "ledger/ledger.h"
#include "node/block/execution.h"
#include "node/round/rounds.h"
#include "proto/model.h"
#include "proto/round.h"

struct auditor;
struct open_round;

/* What all open rounds of a validator share. */
struct round_duty {
    uv_timer_t *timer; /* ticks; NULL until it is open */
    uv_timer_cb on_tick;
    const struct rounds_config *config;
    struct auditor *auditor;
    uint8_t secret[32];      /* of the audit lottery */
    uint32_t sequence;       /* of the last attestation */
    struct open_round *gone; /* closed, but called back later */
    struct rounds_stats stats;
};

enum submission_state {
    FETCHING, /* its payload */
    LOST,     /* the payload was not to be had: asked for again later */
    WAITING,  /* for what the audit needs */
    JUDGING,
    JUDGED,
};

struct submission {
    struct open_round *round;
    struct held_submission held;
    enum submission_state state;
    uint64_t lost_ms;     /* LOST: since when */
    Pot__Verdict verdict; /* JUDGED; none: left undecided */
};

struct open_round {
    struct round_duty *duty;
    Pot__TaskRecord *task;
    struct hash name;
    struct model_shape shape;
    uint64_t opened_ms;      /* on the loop's clock */
    uint64_t closable_ms;    /* since when it could be closed; 0: cannot yet */
    struct map submissions;  /* hash -> struct submission */
    struct map miners;       /* key -> struct submission: the first one */
    struct map attestations; /* validator key -> struct held_attestation */
    bool is_dirty;           /* something came since the last tally */
    uint64_t tally_height;   /* for which it was made: time may be up later */
    bool has_news;           /* verdicts not attested yet */
    uint64_t news_ms;
    bool is_full; /* every member of the roster is accounted for */
    bool is_gone; /* closed; waits for its last callback */
    struct open_round *next_gone;
    size_t callbacks; /* that will come: the round stays until then */
};

/* open_round_new: of a running task; takes the record. */
struct open_round *open_round_new(struct round_duty *duty,
                                  const struct hash *name,
                                  Pot__TaskRecord *task);

/* open_round_close: the tip closed it; freed after its last callback. */
void open_round_close(struct open_round *round);
void open_round_release(struct open_round *round);
void open_round_free(struct open_round *round);

/* open_round_tick: as time passes. */
void open_round_tick(struct open_round *round, uint64_t now_ms);

/* open_round_should_close: everyone is in, or those who are missing had
 * their time. */
bool open_round_should_close(struct open_round *round, uint64_t height);

/* open_round_candidate: all that is held for the round, the submissions'
 * payloads too: without them it cannot be closed.  free() both lists; what is
 * in them stays the round's. */
void open_round_candidate(struct round_candidate *out,
                          const struct open_round *round);

/* ---- node/round/judging.c */

/* judging_fits: it is of this round as it stands open here: of its roster,
 * its parameters, its sizes. */
bool judging_fits(const struct open_round *round,
                  const struct round_submission *s);

/* judging_take: opened is taken; true: it belongs to this round and its
 * miner's first. */
bool judging_take(struct open_round *round, struct round_submission *opened,
                  const Pot__Signed *message, uint64_t peer_id);

/* judging_tick: tries again what could not be done; true while a verdict is
 * still to come. */
bool judging_tick(struct open_round *round, uint64_t now_ms);
void judging_free(struct submission *submission);

/* ---- node/round/attesting.c */

/* attesting_take: opened is taken; true: a validator's, and newer than what
 * was held of it. */
bool attesting_take(struct open_round *round, struct round_attestation *opened,
                    const Pot__Signed *message);

/* attesting_say: signs and sends the verdicts that there are. */
void attesting_say(struct open_round *round);
void attesting_free(struct held_attestation *attestation);

/* open_round_kick: something came in; the next tick is due at once, one for
 * all that comes in this turn of the loop. */
void open_round_kick(const struct round_duty *duty);

#endif
