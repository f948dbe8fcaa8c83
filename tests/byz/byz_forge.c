/* What no validator could have said: other names, certificates of nobody. */
#include "config.h"

#include "base/alloc.h"
#include "consensus/pbft_message.h"
#include "p2p/message.h"
#include "p2p/net.h"
#include "proto/codec.h"
#include "tests/byz/byz.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define JUNK_BYTES 200

/* Prepares of others as they came in, of whatever height and view. */
static struct {
    Pot__VoteSignature messages[VALIDATORS_MAX];
    struct signature signatures[VALIDATORS_MAX];
} real;

static void remember(struct byz *b, const Pot__ConsensusMessage *message)
{
    const Pot__Vote *vote = message->prepare;
    (void)b;
    if (message->kind_case != POT__CONSENSUS_MESSAGE__KIND_PREPARE ||
        !codec_signature(&real.signatures[vote->replica], vote->signature)) {
        return;
    }
    real.messages[vote->replica] =
        (Pot__VoteSignature)POT__VOTE_SIGNATURE__INIT;
    real.messages[vote->replica].replica = vote->replica;
    real.messages[vote->replica].signature =
        codec_bytes(real.signatures[vote->replica].b, SIGNATURE_SIZE);
}

static bool is_new_height(const struct pbft_event *event)
{
    return event->type == PBFT_COMMITTED || event->type == PBFT_START;
}

/* ---- under another's name */

static void say_as_others(struct byz *b, const struct pbft_event *event,
                          struct pbft_effects *out)
{
    struct pbft_status status = pbft_status(b->pbft);
    if (!is_new_height(event)) {
        return;
    }
    for (uint32_t i = 0; i < pbft_validators(b->pbft)->count; i++) {
        struct vote vote = {.phase = POT__PHASE__PHASE_COMMIT,
                            .height = status.height,
                            .view = status.view,
                            .replica = i};
        if (i != status.replica) {
            randombytes_buf(vote.digest.b, HASH_SIZE);
            byz_say_vote(b, out, BYZ_ALL, &vote);
        }
    }
}

/* ---- prepared certificates */

/* A certificate for a block that nobody knows: own signatures under each
 * name, and real ones that are of other blocks. */
struct forged {
    Pot__PreparedCertificate message;
    struct hash digest;
    Pot__VoteSignature all[VALIDATORS_MAX];
    struct signature signatures[VALIDATORS_MAX];
    Pot__VoteSignature *prepares[VALIDATORS_MAX];
};

static void forge_one(struct forged *f, const struct byz *b, uint32_t replica,
                      bool is_mixed, Pot__Phase phase)
{
    const struct vote vote = {.phase = phase,
                              .height = f->message.height,
                              .view = f->message.view,
                              .digest = f->digest,
                              .replica = replica};
    f->all[replica] = (Pot__VoteSignature)POT__VOTE_SIGNATURE__INIT;
    f->all[replica].replica = replica;
    vote_sign(&f->signatures[replica], b->key, &b->chain, &vote);
    if (is_mixed && real.messages[replica].signature.len > 0) {
        f->signatures[replica] = real.signatures[replica];
    }
    f->all[replica].signature =
        codec_bytes(f->signatures[replica].b, SIGNATURE_SIZE);
}

static void forge(struct forged *f, const struct byz *b, bool is_mixed)
{
    struct pbft_status status = pbft_status(b->pbft);
    uint32_t count = pbft_validators(b->pbft)->count;
    uint32_t primary = validator_set_primary(count, status.view);
    f->message = (Pot__PreparedCertificate)POT__PREPARED_CERTIFICATE__INIT;
    randombytes_buf(f->digest.b, HASH_SIZE);
    f->message.height = status.height;
    f->message.view = status.view;
    f->message.digest = codec_bytes(f->digest.b, HASH_SIZE);
    f->message.prepares = f->prepares;
    for (uint32_t i = 0; i < count; i++) {
        forge_one(f, b, i, is_mixed,
                  i == primary ? POT__PHASE__PHASE_PRE_PREPARE
                               : POT__PHASE__PHASE_PREPARE);
        if (i != primary) {
            f->prepares[f->message.n_prepares++] = &f->all[i];
        }
    }
    f->message.pre_prepare = &f->all[primary];
}

static void say_view_change(struct byz *b, struct pbft_effects *out,
                            bool is_mixed)
{
    struct signature signature;
    struct forged *f = pot_calloc(1, sizeof(*f));
    struct pbft_status status = pbft_status(b->pbft);
    Pot__ViewChange change = POT__VIEW_CHANGE__INIT;
    Pot__ConsensusMessage message = POT__CONSENSUS_MESSAGE__INIT;
    forge(f, b, is_mixed);
    change.height = status.height;
    change.view = status.view + 1;
    change.replica = status.replica;
    change.prepared = &f->message;
    pbft_message_sign_view_change(&signature, b->key, &b->chain, &change);
    change.signature = codec_bytes(signature.b, SIGNATURE_SIZE);
    message.kind_case = POT__CONSENSUS_MESSAGE__KIND_VIEW_CHANGE;
    message.view_change = &change;
    byz_say(out, BYZ_ALL, &message);
    free(f);
}

static void say_forged(struct byz *b, const struct pbft_event *event,
                       struct pbft_effects *out)
{
    if (is_new_height(event)) {
        say_view_change(b, out, false);
    }
}

static void say_mixed(struct byz *b, const struct pbft_event *event,
                      struct pbft_effects *out)
{
    if (is_new_height(event)) {
        say_view_change(b, out, true);
    }
}

/* ---- a new view that nobody asked for */

static void say_new_view(struct byz *b, const struct pbft_event *event,
                         struct pbft_effects *out)
{
    struct pbft_status status = pbft_status(b->pbft);
    uint32_t count = pbft_validators(b->pbft)->count;
    struct signature signatures[VALIDATORS_MAX];
    Pot__ViewChange changes[VALIDATORS_MAX];
    Pot__ViewChange *list[VALIDATORS_MAX];
    struct signature signature;
    Pot__NewView view = POT__NEW_VIEW__INIT;
    Pot__ConsensusMessage message = POT__CONSENSUS_MESSAGE__INIT;
    if (!is_new_height(event)) {
        return;
    }
    view.height = status.height;
    view.view = status.view + 1;
    view.replica = status.replica;
    while (validator_set_primary(count, view.view) != status.replica) {
        view.view++;
    }
    for (uint32_t i = 0; i < count; i++) {
        changes[i] = (Pot__ViewChange)POT__VIEW_CHANGE__INIT;
        changes[i].height = view.height;
        changes[i].view = view.view;
        changes[i].replica = i;
        pbft_message_sign_view_change(&signatures[i], b->key, &b->chain,
                                      &changes[i]);
        changes[i].signature = codec_bytes(signatures[i].b, SIGNATURE_SIZE);
        list[i] = &changes[i];
    }
    view.view_changes = list;
    view.n_view_changes = count;
    pbft_message_sign_new_view(&signature, b->key, &b->chain, &view);
    view.signature = codec_bytes(signature.b, SIGNATURE_SIZE);
    message.kind_case = POT__CONSENSUS_MESSAGE__KIND_NEW_VIEW;
    message.new_view = &view;
    byz_say(out, BYZ_ALL, &message);
}

/* ---- no message at all */

static void say_junk(struct byz *b, const struct pbft_event *event,
                     struct pbft_effects *out)
{
    (void)b;
    if (is_new_height(event)) {
        struct pbft_effect *effect = pbft_effects_add(out, PBFT_BROADCAST);
        effect->bytes = pot_alloc(JUNK_BYTES);
        effect->size = JUNK_BYTES;
        randombytes_buf(effect->bytes, JUNK_BYTES);
    }
}

const struct byz_trick byz_forge_tricks[] = {
    {"other-names", "commits in the name of every other validator",
     .stepped = say_as_others},
    {"forged-prepared", "a prepared certificate that it signed alone",
     .stepped = say_forged},
    {"mixed-prepared", "a prepared certificate of signatures for other blocks",
     .heard = remember, .stepped = say_mixed},
    {"forged-new-view", "a new view on view changes that it made itself",
     .stepped = say_new_view},
    {"junk", "random bytes for consensus messages", .stepped = say_junk},
    {.name = NULL},
};
