#include "config.h"

#include "node/round/group_talk.h"

#include "base/alloc.h"
#include "node/hold/holdings.h"
#include "node/round/group_heard.h"
#include "node/round/group_trust.h"
#include "node/round/groups_shared.h"
#include "node/round/rounds_shared.h"
#include "p2p/gossip.h"
#include "proto/codec.h"
#include "proto/signed.h"

#include <stdlib.h>

void group_talk_say(const struct group_heard *h, bool is_right)
{
    size_t size;
    const struct rounds_shared *rounds = h->shared->rounds;
    Pot__GroupWordBody body = POT__GROUP_WORD_BODY__INIT;
    body.task = codec_bytes(h->group.task.b, HASH_SIZE);
    body.round = h->group.round;
    body.group = codec_bytes(h->group.hash.b, HASH_SIZE);
    body.is_right = is_right;
    Pot__Signed *message = signed_make(
        SIGNED_GROUP_WORD, &rounds->holdings->chain, rounds->key, &body);
    if (message != NULL) {
        uint8_t *data = codec_encode(&size, message);
        gossip_tell_fellows(rounds->gossip, MESSAGE_GROUP_WORD, data, size);
        free(data);
        codec_free(message);
    }
}

/* ---- who is believed */

static const struct group_voice *find(const struct group_heard *h,
                                      const struct public_key *validator)
{
    for (size_t i = 0; i < h->voice_count; i++) {
        if (public_key_equal(&h->voices[i].validator, validator)) {
            return &h->voices[i];
        }
    }
    return NULL;
}

static bool has_said_right(const struct group_heard *h,
                           const struct public_key *validator)
{
    const struct group_voice *voice = find(h, validator);
    return voice != NULL && voice->is_right;
}

static void add(struct group_heard *h, const struct public_key *validator,
                bool is_right)
{
    h->voices = pot_realloc(h->voices, h->voice_count + 1, sizeof(*h->voices));
    h->voices[h->voice_count++] = (struct group_voice){*validator, is_right};
}

/* Who say right of those who are drawn, by the present set; this validator
 * among them. */
static size_t count_right(const struct group_heard *h)
{
    const struct validator_set *set = &h->shared->validators;
    size_t count = h->state == OPENED ? 1 : 0;
    for (size_t i = 0; i < h->voice_count; i++) {
        const struct group_voice *voice = &h->voices[i];
        count +=
            voice->is_right && group_opens(&h->group, set, &voice->validator)
                ? 1
                : 0;
    }
    return count;
}

bool group_talk_is_enough(const struct group_heard *h)
{
    return count_right(h) >= group_words_needed(&h->shared->validators);
}

/* This validator has found that it is right, or all others say so. */
static bool is_found_right(const struct group_heard *h)
{
    size_t words = count_right(h);
    return h->is_drawn
               ? h->state == OPENED
               : words > 0 &&
                     words + 1 >= group_words_needed(&h->shared->validators);
}

/* ---- who is blamed */

/* It was no fault of its aggregator's then. */
void group_talk_blame_false(const struct group_heard *h)
{
    struct group_trust *trust = &h->shared->rounds->trust;
    size_t count = is_found_right(h) ? h->voice_count : 0;
    for (size_t i = 0; i < count; i++) {
        if (!h->voices[i].is_right) {
            group_trust_silent(trust, &h->voices[i].validator);
            group_trust_right(trust, &h->group.aggregator);
        }
    }
}

void group_talk_blame_silent(const struct group_heard *h)
{
    struct rounds_shared *rounds = h->shared->rounds;
    const struct validator_set *set = &h->shared->validators;
    for (uint32_t i = 0; i < set->count; i++) {
        const struct public_key *key = &set->keys[i];
        if (!public_key_equal(key, key_public(rounds->key)) &&
            !has_said_right(h, key) && group_opens(&h->group, set, key)) {
            group_trust_silent(&rounds->trust, key);
        }
    }
}

/* ---- what others say */

bool group_talk_right(struct group_heard *h, const struct public_key *validator,
                      uint64_t peer_id)
{
    struct rounds_shared *rounds = h->shared->rounds;
    if (find(h, validator) != NULL) {
        return false;
    }
    if (uv_now(rounds->loop) <= h->deadline_ms) {
        group_trust_spoke(&rounds->trust, validator);
    }
    add(h, validator, true);
    h->peer_id = peer_id;
    group_talk_blame_false(h);
    if (group_talk_is_enough(h)) {
        group_trust_right(&rounds->trust, &h->group.aggregator);
    }
    if (h->state == OPENED && group_talk_is_enough(h)) {
        group_heard_end_wait(h); /* elsewhere it goes on with the sum alone */
    }
    return true;
}

/* Who takes its word back is not heard, nor who speaks when all have spoken. */
void group_talk_wrong(struct group_heard *h, const struct public_key *validator)
{
    if (h->state == VOUCHED || find(h, validator) != NULL) {
        return;
    }
    add(h, validator, false);
    group_heard_give_up(h, "a validator says that it is wrong");
    group_talk_blame_false(h);
}
