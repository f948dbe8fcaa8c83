#include "config.h"

#include "node/round/own_words.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/clock.h"
#include "node/hold/holdings.h"
#include "node/round/again.h"
#include "node/round/judging.h"
#include "node/round/rounds_shared.h"
#include "p2p/gossip.h"
#include "proto/codec.h"
#include "proto/signed.h"

#include <stdlib.h>

#define WITHHELD_MAX 4
/* What was said is with everyone by then, or was lost and is said again. */
#define SAY_AGAIN_MS 1000

struct withheld {
    Pot__Signed *message;
    uint64_t pledged_ms;
};

/* What may have to be said again. */
struct said {
    Pot__Signed *message; /* NULL: nothing */
    struct again again;
};

struct own_words {
    struct rounds_shared *shared;
    bool (*take)(void *context, struct round_attestation *opened,
                 const Pot__Signed *message);
    void *context;
    struct withheld withheld[WITHHELD_MAX]; /* the latest last */
    size_t count;
    struct said closing;
    struct said pledge; /* of the latest one, until that is shown */
    struct said kept;   /* the words that were pledged last */
    struct said more;   /* the last ones of those that were not */
};

struct own_words *own_words_new(struct rounds_shared *shared,
                                bool (*take)(void *context,
                                             struct round_attestation *opened,
                                             const Pot__Signed *message),
                                void *context)
{
    struct own_words *own = pot_calloc(1, sizeof(*own));
    own->shared = shared;
    own->take = take;
    own->context = context;
    return own;
}

/* The oldest one. */
static void drop_first(struct own_words *own)
{
    codec_free(own->withheld[0].message);
    own->count--;
    for (size_t i = 0; i < own->count; i++) {
        own->withheld[i] = own->withheld[i + 1];
    }
}

static void forget(struct said *said)
{
    codec_free(said->message);
    said->message = NULL;
}

/* Takes the message. */
static void remember(const struct own_words *own, struct said *said,
                     Pot__Signed *message)
{
    forget(said);
    said->message = message;
    again_start(&said->again, uv_now(own->shared->loop), SAY_AGAIN_MS);
}

void own_words_free(struct own_words *own)
{
    if (own == NULL) {
        return;
    }
    while (own->count > 0) {
        drop_first(own);
    }
    forget(&own->closing);
    forget(&own->pledge);
    forget(&own->kept);
    forget(&own->more);
    free(own);
}

/* Later attestations have higher numbers, also across a restart: the number
 * follows the clock, in tenths of a second. */
static uint32_t next_sequence(struct rounds_shared *shared)
{
    uint32_t from_clock = (uint32_t)(clock_wall_ms() / 100);
    shared->sequence =
        shared->sequence + 1 > from_clock ? shared->sequence + 1 : from_clock;
    return shared->sequence;
}

static Pot__Signed *sign(const struct own_words *own,
                         const Pot__AttestationBody *body)
{
    const struct rounds_shared *shared = own->shared;
    return signed_make(SIGNED_ATTESTATION, &shared->holdings->chain,
                       shared->key, body);
}

static void tell(const struct own_words *own, const Pot__Signed *message,
                 void (*send)(struct gossip *gossip, uint8_t type,
                              const void *data, size_t size))
{
    size_t size;
    uint8_t *data = codec_encode(&size, message);
    send(own->shared->gossip, MESSAGE_ATTESTATION, data, size);
    free(data);
}

/* To everyone, ourselves among them. */
static void say(const struct own_words *own, const Pot__Signed *message)
{
    struct round_attestation opened;
    tell(own, message, gossip_publish);
    enum pot_err err = round_attestation_decode(&opened, message);
    POT_ASSERT(err == POT_OK);
    (void)own->take(own->context, &opened, message);
}

/* What was said; NULL: the key did not sign. */
static Pot__Signed *sign_and_say(const struct own_words *own,
                                 const Pot__AttestationBody *body)
{
    Pot__Signed *message = sign(own, body);
    if (message != NULL) {
        say(own, message);
    }
    return message;
}

bool own_words_close(struct own_words *own, const Pot__TaskRecord *task)
{
    Pot__AttestationBody body = POT__ATTESTATION_BODY__INIT;
    body.task = task->task;
    body.round = task->round;
    body.closes = true;
    Pot__Signed *message = sign_and_say(own, &body);
    if (message != NULL) {
        remember(own, &own->closing, message);
    }
    return message != NULL;
}

/* To those that are shown. */
static bool add_words(struct own_words *own, const Pot__AttestationBody *body)
{
    Pot__Signed *message = sign_and_say(own, body);
    if (message != NULL) {
        remember(own, &own->more, message);
    }
    return message != NULL;
}

static void withhold(struct own_words *own, Pot__Signed *message)
{
    if (own->count == WITHHELD_MAX) {
        drop_first(own);
    }
    own->withheld[own->count++] =
        (struct withheld){message, uv_now(own->shared->loop)};
}

static Pot__Signed *sign_pledge(const struct own_words *own,
                                const Pot__AttestationBody *body,
                                const Pot__Signed *message,
                                const struct judging *judging)
{
    struct hash name;
    uint8_t covers[ROUND_COVERS_MAX];
    Pot__AttestationBody pledge = POT__ATTESTATION_BODY__INIT;
    size_t size = judging_covers(judging, covers);
    signed_hash(&name, SIGNED_ATTESTATION, message);
    pledge.task = body->task;
    pledge.round = body->round;
    pledge.sequence = body->sequence;
    pledge.pledge = codec_bytes(name.b, HASH_SIZE);
    pledge.covers = codec_bytes(covers, size);
    return sign(own, &pledge);
}

static bool pledge(struct own_words *own, const Pot__AttestationBody *body,
                   const struct judging *judging)
{
    Pot__Signed *message = sign(own, body);
    Pot__Signed *said =
        message != NULL ? sign_pledge(own, body, message, judging) : NULL;
    if (said == NULL) {
        codec_free(message);
        return false;
    }
    withhold(own, message);
    remember(own, &own->pledge, said);
    say(own, said);
    return true;
}

bool own_words_speak(struct own_words *own, const Pot__TaskRecord *task,
                     struct judging *judging, bool are_shown)
{
    Pot__AttestationBody *body = pot_alloc(sizeof(*body));
    pot__attestation_body__init(body);
    body->task = codec_copy_bytes(task->task.data, task->task.len);
    body->round = task->round;
    body->sequence = next_sequence(own->shared);
    bool is_said =
        judging_verdicts(judging, body) &&
        (are_shown ? add_words(own, body) : pledge(own, body, judging));
    codec_free(body);
    return is_said;
}

static void say_again(const struct own_words *own, struct said *said,
                      uint64_t now_ms,
                      void (*send)(struct gossip *gossip, uint8_t type,
                                   const void *data, size_t size))
{
    if (said->message != NULL && again_is_due(&said->again, now_ms)) {
        tell(own, said->message, send);
    }
}

/* Miners wait for the closing.  The rest is for those that can close the round:
 * of all who follow the chain there may be hundreds. */
void own_words_tick(struct own_words *own, uint64_t now_ms)
{
    say_again(own, &own->closing, now_ms, gossip_publish);
    say_again(own, &own->pledge, now_ms, gossip_tell_fellows);
    say_again(own, &own->kept, now_ms, gossip_tell_fellows);
    say_again(own, &own->more, now_ms, gossip_tell_fellows);
}

static void tell_one(const struct own_words *own, uint64_t peer_id,
                     const struct said *said)
{
    size_t size;
    if (said->message != NULL) {
        uint8_t *data = codec_encode(&size, said->message);
        gossip_tell(own->shared->gossip, peer_id, MESSAGE_ATTESTATION, data,
                    size);
        free(data);
    }
}

void own_words_tell(const struct own_words *own, uint64_t peer_id)
{
    tell_one(own, peer_id, &own->closing);
    if (gossip_is_fellow(own->shared->gossip, peer_id)) {
        tell_one(own, peer_id, &own->pledge);
        tell_one(own, peer_id, &own->kept);
        tell_one(own, peer_id, &own->more);
    }
}

/* Everyone holds us to a later one. */
static bool is_replaced(const struct own_words *own)
{
    return own->count > 1 && own->withheld[1].pledged_ms + SAY_AGAIN_MS <=
                                 uv_now(own->shared->loop);
}

void own_words_show(struct own_words *own)
{
    forget(&own->pledge);
    while (own->count > 0) {
        if (!is_replaced(own)) {
            say(own, own->withheld[0].message);
        }
        if (own->count == 1) {
            remember(own, &own->kept, signed_copy(own->withheld[0].message));
        }
        drop_first(own);
    }
}
