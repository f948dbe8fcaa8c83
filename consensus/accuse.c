#include "config.h"

#include "consensus/accuse.h"

#include "base/check.h"
#include "consensus/pbft_state.h"
#include "proto/codec.h"
#include "proto/evidence.h"
#include "proto/word.h"

#include <string.h>

/* Resends of a height in which the last one is still answered for. */
#define ANSWERS_MAX 8

/* The logs of one height. */
struct logs {
    uint64_t height;
    struct votes *votes;
    Pot__ViewChange *const *changes;
    const Pot__NewView *new_view; /* shows others; may be NULL */
    bool *is_accused;
};

static struct logs present(struct pbft *p)
{
    return (struct logs){p->height, &p->votes, p->changes, p->new_view,
                         p->is_accused};
}

static struct logs past(struct pbft *p)
{
    struct heard *last = &p->last;
    return (struct logs){last->height, &last->votes, last->changes, NULL,
                         last->is_accused};
}

/* ---- telling */

static Pot__SignedWord vote_word(Pot__Phase phase, uint64_t view,
                                 const struct hash *digest,
                                 const struct signature *signature)
{
    Pot__SignedWord word = POT__SIGNED_WORD__INIT;
    word.phase = phase;
    word.view = view;
    word.digest = codec_bytes(digest->b, HASH_SIZE);
    word.signature = codec_bytes(signature->b, SIGNATURE_SIZE);
    return word;
}

/* hash: borrowed by the result. */
static Pot__SignedWord change_word(const Pot__ViewChange *change,
                                   const struct hash *hash)
{
    Pot__SignedWord word = POT__SIGNED_WORD__INIT;
    word.phase = POT__PHASE__PHASE_NONE;
    word.view = change->view;
    word.digest = codec_bytes(hash->b, HASH_SIZE);
    word.signature = change->signature;
    return word;
}

static bool is_told(const struct pbft *p, const struct logs *logs,
                    uint32_t replica)
{
    return logs->is_accused[replica] || replica == p->self;
}

static void tell(struct pbft *p, const struct logs *logs, uint32_t replica,
                 Pot__SignedWord *a, Pot__SignedWord *b)
{
    Pot__EvidenceBody body = POT__EVIDENCE_BODY__INIT;
    logs->is_accused[replica] = true;
    body.validator = codec_bytes(p->set.keys[replica].b, PUBLIC_KEY_SIZE);
    body.height = logs->height;
    body.first = a;
    body.second = b;
    evidence_order(&body);
    struct pbft_effect *effect = pbft_emit(p, PBFT_EVIDENCE);
    effect->height = logs->height;
    effect->replica = replica;
    effect->bytes = codec_encode(&effect->size, &body);
}

/* ---- comparing */

static const Pot__ViewChange *find_change(const struct logs *logs,
                                          uint32_t replica)
{
    const Pot__NewView *new_view = logs->new_view;
    if (logs->changes[replica] != NULL || new_view == NULL) {
        return logs->changes[replica];
    }
    for (size_t i = 0; i < new_view->n_view_changes; i++) {
        if (new_view->view_changes[i]->replica == replica) {
            return new_view->view_changes[i];
        }
    }
    return NULL;
}

static bool forgets(const Pot__ViewChange *change, uint64_t view)
{
    return change != NULL && change->view > view &&
           (change->prepared == NULL || change->prepared->view < view);
}

static void tell_forgotten(struct pbft *p, const struct logs *logs,
                           const struct vote *commit,
                           const struct signature *signature,
                           const Pot__ViewChange *change)
{
    struct word shown =
        word_view_change(logs->height, change->view, change->prepared);
    Pot__SignedWord vote =
        vote_word(commit->phase, commit->view, &commit->digest, signature);
    Pot__SignedWord other = change_word(change, &shown.hash);
    other.prepared = change->prepared;
    tell(p, logs, commit->replica, &vote, &other);
}

/* A vote in this view for another block, in whichever phase. */
static const struct votes_entry *find_other(const struct votes *votes,
                                            const struct vote *vote,
                                            Pot__Phase *phase)
{
    static const Pot__Phase phases[VOTES_PHASES] = {
        POT__PHASE__PHASE_PRE_PREPARE, POT__PHASE__PHASE_PREPARE,
        POT__PHASE__PHASE_COMMIT};
    for (size_t i = 0; i < VOTES_PHASES; i++) {
        const struct votes_entry *entry =
            votes_find(votes, phases[i], vote->view, vote->replica);
        if (entry != NULL && !hash_equal(&entry->digest, &vote->digest)) {
            *phase = phases[i];
            return entry;
        }
    }
    return NULL;
}

/* A vote that was kept without a check (consensus/spare.h) is checked when it
 * is to prove something: it stands, or was none. */
static bool stands(struct pbft *p, const struct logs *logs, Pot__Phase phase,
                   uint32_t replica, const struct votes_entry *entry)
{
    if (!entry->is_checked) {
        struct vote vote = {phase, logs->height, entry->view, entry->digest,
                            replica};
        votes_settle(logs->votes, phase, entry->view, replica,
                     vote_verify(&p->set, &p->chain, &vote, &entry->signature));
    }
    return entry->is_used;
}

static void compare_vote(struct pbft *p, const struct logs *logs,
                         const struct vote *vote,
                         const struct signature *signature)
{
    Pot__Phase phase;
    uint32_t replica = vote->replica;
    if (is_told(p, logs, replica)) {
        return;
    }
    const struct votes_entry *other;
    do {
        other = find_other(logs->votes, vote, &phase);
    } while (other != NULL && !stands(p, logs, phase, replica, other));
    if (other != NULL) {
        Pot__SignedWord a =
            vote_word(vote->phase, vote->view, &vote->digest, signature);
        Pot__SignedWord b =
            vote_word(phase, other->view, &other->digest, &other->signature);
        tell(p, logs, replica, &a, &b);
        return;
    }
    const Pot__ViewChange *change = find_change(logs, replica);
    if (vote->phase == POT__PHASE__PHASE_COMMIT &&
        forgets(change, vote->view)) {
        tell_forgotten(p, logs, vote, signature, change);
    }
}

static void compare_with_change(struct pbft *p, const struct logs *logs,
                                const Pot__ViewChange *change)
{
    const Pot__ViewChange *other = find_change(logs, change->replica);
    if (other == NULL || other->view != change->view) {
        return;
    }
    struct word a =
        word_view_change(logs->height, change->view, change->prepared);
    struct word b =
        word_view_change(logs->height, other->view, other->prepared);
    if (!hash_equal(&a.hash, &b.hash)) {
        Pot__SignedWord words[] = {change_word(change, &a.hash),
                                   change_word(other, &b.hash)};
        tell(p, logs, change->replica, &words[0], &words[1]);
    }
}

static void compare_with_commits(struct pbft *p, const struct logs *logs,
                                 const Pot__ViewChange *change)
{
    uint32_t replica = change->replica;
    const struct votes_entry *entries =
        logs->votes->entries[VOTES_PHASES - 1][replica];
    for (size_t i = 0; i < VOTES_VIEWS && !is_told(p, logs, replica); i++) {
        const struct votes_entry *entry = &entries[i];
        if (entry->is_used && forgets(change, entry->view) &&
            stands(p, logs, POT__PHASE__PHASE_COMMIT, replica, entry)) {
            struct vote commit = {POT__PHASE__PHASE_COMMIT, logs->height,
                                  entry->view, entry->digest, replica};
            tell_forgotten(p, logs, &commit, &entry->signature, change);
        }
    }
}

static void compare_prepared(struct pbft *p, const struct logs *logs,
                             const Pot__PreparedCertificate *prepared)
{
    struct vote vote = {.phase = POT__PHASE__PHASE_PREPARE,
                        .height = prepared->height,
                        .view = prepared->view};
    struct signature signature;
    bool is_digest = codec_hash(&vote.digest, prepared->digest);
    POT_ASSERT(is_digest);
    for (size_t i = 0; i < prepared->n_prepares; i++) {
        vote.replica = prepared->prepares[i]->replica;
        if (codec_signature(&signature, prepared->prepares[i]->signature)) {
            compare_vote(p, logs, &vote, &signature);
        }
    }
    vote.phase = POT__PHASE__PHASE_PRE_PREPARE;
    vote.replica = prepared->pre_prepare->replica;
    if (codec_signature(&signature, prepared->pre_prepare->signature)) {
        compare_vote(p, logs, &vote, &signature);
    }
}

static void compare_change(struct pbft *p, const struct logs *logs,
                           const Pot__ViewChange *change)
{
    if (!is_told(p, logs, change->replica)) {
        compare_with_change(p, logs, change);
        compare_with_commits(p, logs, change);
    }
    if (change->prepared != NULL) {
        compare_prepared(p, logs, change->prepared);
    }
}

/* ---- what agrees */

bool accuse_agrees(struct pbft *p, const struct vote *vote)
{
    Pot__Phase phase;
    const struct logs logs = vote->height == p->height ? present(p) : past(p);
    return find_other(logs.votes, vote, &phase) == NULL &&
           !(vote->phase == POT__PHASE__PHASE_COMMIT &&
             forgets(find_change(&logs, vote->replica), vote->view));
}

/* ---- of the present height */

void accuse_vote(struct pbft *p, const struct vote *vote,
                 const struct signature *signature)
{
    struct logs logs = present(p);
    compare_vote(p, &logs, vote, signature);
}

void accuse_change(struct pbft *p, const Pot__ViewChange *change)
{
    struct logs logs = present(p);
    compare_change(p, &logs, change);
}

/* ---- of the last height */

void accuse_forget(struct pbft *p)
{
    for (uint32_t i = 0; i < VALIDATORS_MAX; i++) {
        codec_free(p->last.changes[i]);
        p->last.changes[i] = NULL;
    }
    p->last.height = 0;
}

static void keep_change(struct heard *last, const Pot__ViewChange *change)
{
    Pot__ViewChange **kept = &last->changes[change->replica];
    if (*kept == NULL || (*kept)->view < change->view) {
        codec_free(*kept);
        *kept = pbft_message_copy(change);
    }
}

void accuse_keep(struct pbft *p, const struct hash *committed)
{
    struct heard *last = &p->last;
    accuse_forget(p);
    last->height = p->height;
    last->set_id = p->set_id;
    last->committed = *committed;
    votes_copy(&last->votes, &p->votes);
    memcpy(last->is_accused, p->is_accused, sizeof(last->is_accused));
    memcpy(last->changes, p->changes, sizeof(last->changes));
    memset(p->changes, 0, sizeof(p->changes));
    const Pot__NewView *new_view = p->new_view;
    for (size_t i = 0; new_view != NULL && i < new_view->n_view_changes; i++) {
        keep_change(last, new_view->view_changes[i]);
    }
}

bool accuse_is_late(const struct pbft *p, uint64_t height)
{
    return height != 0 && height == p->last.height &&
           p->last.set_id == p->set_id;
}

static void late_vote(struct pbft *p, const Pot__Vote *message)
{
    struct vote vote;
    struct signature signature;
    struct logs logs = past(p);
    if (vote_decode(&vote, &signature, message)) {
        compare_vote(p, &logs, &vote, &signature);
        (void)votes_add(&p->last.votes, &vote, &signature);
    }
}

static void late_change(struct pbft *p, const Pot__ViewChange *change)
{
    struct logs logs = past(p);
    compare_change(p, &logs, change);
    keep_change(&p->last, change);
}

void accuse_late(struct pbft *p, const Pot__ConsensusMessage *message)
{
    const Pot__NewView *new_view;
    switch (message->kind_case) {
    case POT__CONSENSUS_MESSAGE__KIND_PRE_PREPARE:
        late_vote(p, message->pre_prepare->vote);
        break;
    case POT__CONSENSUS_MESSAGE__KIND_PREPARE:
        late_vote(p, message->prepare);
        break;
    case POT__CONSENSUS_MESSAGE__KIND_COMMIT:
        late_vote(p, message->commit);
        break;
    case POT__CONSENSUS_MESSAGE__KIND_VIEW_CHANGE:
        late_change(p, message->view_change);
        break;
    case POT__CONSENSUS_MESSAGE__KIND_NEW_VIEW:
        new_view = message->new_view;
        for (size_t i = 0; i < new_view->n_view_changes; i++) {
            late_change(p, new_view->view_changes[i]);
        }
        break;
    case POT__CONSENSUS_MESSAGE__KIND_BLOCK_REQUEST:
    case POT__CONSENSUS_MESSAGE__KIND_SUSPICION:
    case POT__CONSENSUS_MESSAGE__KIND_BLOCK_REPLY:
    case POT__CONSENSUS_MESSAGE__KIND__NOT_SET:
    case _POT__CONSENSUS_MESSAGE__KIND__CASE_IS_INT_SIZE:
        break;
    }
}

/* ---- answering */

static bool has_committed_other(const struct heard *last, uint32_t replica)
{
    const struct votes_entry *entries =
        last->votes.entries[VOTES_PHASES - 1][replica];
    bool is_other = false;
    for (size_t i = 0; i < VOTES_VIEWS; i++) {
        bool is_same = hash_equal(&entries[i].digest, &last->committed);
        if (entries[i].is_used && is_same) {
            return false;
        }
        is_other = is_other || entries[i].is_used;
    }
    return is_other;
}

/* The commits that stand for the last block, in whichever view. */
static void show_commits(struct pbft *p, uint32_t to)
{
    const struct heard *last = &p->last;
    const struct logs logs = past(p);
    for (uint32_t i = 0; i < p->set.count; i++) {
        for (size_t at = 0; at < VOTES_VIEWS; at++) {
            const struct votes_entry *entry =
                &last->votes.entries[VOTES_PHASES - 1][i][at];
            if (!entry->is_used ||
                !hash_equal(&entry->digest, &last->committed) ||
                !stands(p, &logs, POT__PHASE__PHASE_COMMIT, i, entry)) {
                continue;
            }
            struct vote vote = {POT__PHASE__PHASE_COMMIT, last->height,
                                entry->view, entry->digest, i};
            struct pbft_effect *effect = pbft_emit(p, PBFT_SEND);
            effect->replica = to;
            effect->bytes = pbft_message_encode_vote(&effect->size, &vote,
                                                     &entry->signature);
        }
    }
}

void accuse_answer(struct pbft *p)
{
    if (!accuse_is_late(p, p->height - 1) || p->ticks > ANSWERS_MAX) {
        return;
    }
    for (uint32_t i = 0; i < p->set.count; i++) {
        if (i != p->self && has_committed_other(&p->last, i)) {
            show_commits(p, i);
        }
    }
}
