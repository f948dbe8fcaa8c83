#include "config.h"

#include "node/round/accuser.h"

#include "base/alloc.h"
#include "base/check.h"
#include "ledger/ledger.h"
#include "node/tx/own_tx.h"
#include "proto/codec.h"
#include "proto/round.h"
#include "proto/signed.h"

#include <stdlib.h>

#define NOTES_MAX 4096

struct note {
    struct note *next;
    struct round_submission opened;
    Pot__Signed *message;
    uint64_t sent_height; /* of the tip when it was challenged; 0: not yet */
};

struct accuser {
    struct own_tx *sender;
    struct note *notes;
    size_t count;
};

struct accuser *accuser_new(struct own_tx *sender)
{
    struct accuser *accuser = pot_calloc(1, sizeof(*accuser));
    accuser->sender = sender;
    return accuser;
}

static void drop(struct accuser *accuser, struct note **at)
{
    struct note *note = *at;
    *at = note->next;
    accuser->count--;
    round_submission_fini(&note->opened);
    codec_free(note->message);
    free(note);
}

void accuser_free(struct accuser *accuser)
{
    if (accuser == NULL) {
        return;
    }
    while (accuser->notes != NULL) {
        drop(accuser, &accuser->notes);
    }
    free(accuser);
}

void accuser_note(struct accuser *accuser, const Pot__Signed *submission)
{
    if (accuser->count == NOTES_MAX) {
        return;
    }
    struct note *note = pot_calloc(1, sizeof(*note));
    note->message = signed_copy(submission);
    enum pot_err err = round_submission_decode(&note->opened, note->message);
    POT_ASSERT(err == POT_OK); /* it was open */
    note->next = accuser->notes;
    accuser->notes = note;
    accuser->count++;
}

/* Its round is open still; whatever else a task's record says, it is over. */
static bool is_open(const struct state *state, const struct note *note)
{
    Pot__TaskRecord *task = ledger_task(state, &note->opened.task);
    bool is_open = task != NULL &&
                   task->status == POT__TASK_STATUS__TASK_RUNNING &&
                   task->round == note->opened.body->round;
    codec_free(task);
    return is_open;
}

static bool is_counted(const struct state *state, const struct note *note)
{
    Pot__ClosedRecord *closed =
        ledger_closed(state, &note->opened.task, note->opened.body->round);
    bool is_counted =
        closed != NULL && ledger_is_counted(closed, &note->opened.hash);
    codec_free(closed);
    return is_counted;
}

static bool is_challenged(const struct state *state, const struct note *note)
{
    Pot__ChallengeRecord *challenge =
        ledger_challenge(state, &note->opened.hash);
    bool is_there = challenge != NULL;
    codec_free(challenge);
    return is_there;
}

static bool is_on_its_way(const struct note *note, uint64_t height)
{
    return note->sent_height != 0 &&
           height <= note->sent_height + OWN_TX_EXPIRY_BLOCKS;
}

/* One that the ledger refuses for now would keep later transactions of this
 * key waiting. */
static bool has_room(const struct accuser *accuser, const struct state *state,
                     const struct note *note, uint64_t height)
{
    size_t coming = 0;
    size_t left = ledger_challenges_left(state, &note->opened.task,
                                         own_tx_sender(accuser->sender));
    for (const struct note *n = accuser->notes; n != NULL; n = n->next) {
        coming += is_on_its_way(n, height) ? 1 : 0;
    }
    return coming < left;
}

static void challenge(const struct accuser *accuser, const struct state *state,
                      struct note *note, uint64_t height)
{
    Pot__Challenge challenge = POT__CHALLENGE__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    challenge.submission = note->message;
    body.action_case = POT__TX_BODY__ACTION_CHALLENGE;
    body.challenge = &challenge;
    if (!is_on_its_way(note, height) &&
        has_room(accuser, state, note, height) &&
        own_tx_send(accuser->sender, &body, NULL)) {
        note->sent_height = height;
    }
}

void accuser_refresh(struct accuser *accuser, const struct state *state,
                     uint64_t height)
{
    for (struct note **at = &accuser->notes; *at != NULL;) {
        struct note *note = *at;
        if (is_open(state, note)) {
            at = &note->next;
        } else if (!is_counted(state, note) || is_challenged(state, note)) {
            drop(accuser, at);
        } else {
            challenge(accuser, state, note, height);
            at = &note->next;
        }
    }
}
