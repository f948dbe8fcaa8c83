#include "config.h"

#include "node/round/reminder.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "node/round/again.h"
#include "p2p/gossip.h"
#include "p2p/message.h"
#include "proto/codec.h"
#include "proto/signed.h"

#include <stdlib.h>

struct reminded { /* of a miner */
    uint32_t round;
    Pot__Signed *messages[REMINDER_KINDS]; /* NULL: none was told */
    struct again again;
};

struct reminder {
    struct gossip *gossip;
    struct map miners; /* -> struct reminded */
};

struct reminder *reminder_new(struct gossip *gossip)
{
    struct reminder *reminder = pot_calloc(1, sizeof(*reminder));
    reminder->gossip = gossip;
    return reminder;
}

static void forget(struct reminded *reminded)
{
    for (size_t kind = 0; kind < REMINDER_KINDS; kind++) {
        codec_free(reminded->messages[kind]);
    }
    *reminded = (struct reminded){0};
}

void reminder_free(struct reminder *reminder)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&reminder->miners, &cursor)) != NULL) {
        forget(slot->value);
        free(slot->value);
    }
    map_fini(&reminder->miners);
    free(reminder);
}

/* NULL: there is no room, or it is in a later round already. */
static struct reminded *place_of(struct reminder *reminder,
                                 const Pot__Signed *message, uint32_t round)
{
    const uint8_t *miner = message->public_key.data;
    struct reminded *reminded = map_get(&reminder->miners, miner);
    if (reminded == NULL && reminder->miners.count < ROSTER_MAX) {
        reminded = pot_calloc(1, sizeof(*reminded));
        reminded->round = round;
        (void)map_put(&reminder->miners, miner, reminded);
    }
    if (reminded == NULL || reminded->round > round) {
        return NULL;
    }
    if (reminded->round < round) {
        forget(reminded);
        reminded->round = round;
    }
    return reminded;
}

static bool is_new(const struct reminded *reminded)
{
    return reminded->messages[REMINDER_COMMITMENT] == NULL &&
           reminded->messages[REMINDER_SUBMISSION] == NULL;
}

void reminder_note(struct reminder *reminder, enum reminder_kind kind,
                   uint32_t round, const Pot__Signed *message, uint64_t now_ms)
{
    struct reminded *reminded = place_of(reminder, message, round);
    if (reminded == NULL || reminded->messages[kind] != NULL) {
        return;
    }
    if (is_new(reminded)) {
        again_start(&reminded->again, now_ms, REMINDER_MS);
    } else {
        again_hasten(&reminded->again, now_ms, REMINDER_MS);
    }
    reminded->messages[kind] = signed_copy(message);
}

void reminder_open(struct reminder *reminder, uint32_t round)
{
    struct map later = {0};
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&reminder->miners, &cursor)) != NULL) {
        struct reminded *reminded = slot->value;
        if (reminded->round >= round) {
            (void)map_put(&later, slot->key, reminded);
        } else {
            forget(reminded);
            free(reminded);
        }
    }
    map_fini(&reminder->miners);
    reminder->miners = later;
}

/* To all validators, or to the peer of this id, if that is not 0. */
static void say(const struct reminder *reminder, uint64_t peer_id, uint8_t type,
                const Pot__Signed *message)
{
    size_t size;
    if (message == NULL) {
        return;
    }
    uint8_t *data = codec_encode(&size, message);
    if (peer_id != 0) {
        gossip_tell(reminder->gossip, peer_id, type, data, size);
    } else {
        gossip_tell_fellows(reminder->gossip, type, data, size);
    }
    free(data);
}

/* Who has not heard of the commitment takes no submission. */
static void say_all(const struct reminder *reminder, uint64_t peer_id,
                    const struct reminded *reminded)
{
    Pot__Signed *const *messages = reminded->messages;
    say(reminder, peer_id, MESSAGE_COMMITMENT, messages[REMINDER_COMMITMENT]);
    say(reminder, peer_id, MESSAGE_SUBMISSION, messages[REMINDER_SUBMISSION]);
}

void reminder_tick(struct reminder *reminder, uint64_t now_ms)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&reminder->miners, &cursor)) != NULL) {
        struct reminded *reminded = slot->value;
        if (again_is_due(&reminded->again, now_ms)) {
            say_all(reminder, 0, reminded);
        }
    }
}

void reminder_tell(const struct reminder *reminder, uint64_t peer_id)
{
    size_t cursor = 0;
    const struct map_slot *slot;
    while ((slot = map_next(&reminder->miners, &cursor)) != NULL) {
        say_all(reminder, peer_id, slot->value);
    }
}
