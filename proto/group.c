#include "config.h"

#include "proto/group.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "proto/codec.h"
#include "proto/round.h"
#include "proto/signed.h"

#include <stdlib.h>
#include <string.h>

static bool are_ascending(ProtobufCBinaryData members)
{
    for (size_t at = HASH_SIZE; at < members.len; at += HASH_SIZE) {
        if (memcmp(members.data + at - HASH_SIZE, members.data + at,
                   HASH_SIZE) >= 0) {
            return false;
        }
    }
    return true;
}

static bool is_well_formed(struct group *g, const Pot__GroupBody *body,
                           const Pot__Signed *message)
{
    g->round = body->round;
    g->member_count = body->members.len / HASH_SIZE;
    g->sum_bytes = body->sum_bytes;
    g->is_told = body->is_told;
    return codec_key(&g->aggregator, message->public_key) &&
           message->signature.len == SIGNATURE_SIZE &&
           codec_hash(&g->task, body->task) &&
           codec_hash(&g->root, body->root) &&
           codec_hash(&g->sum, body->sum_hash) && body->sum_bytes > 0 &&
           body->members.len % HASH_SIZE == 0 &&
           g->member_count >= GROUP_MEMBERS_MIN &&
           g->member_count <= ROSTER_MAX && are_ascending(body->members);
}

enum pot_err group_decode(struct group *out, const Pot__Signed *message)
{
    struct group g;
    Pot__GroupBody *body;
    enum pot_err err = CODEC_DECODE(&body, pot__group_body, message->body.data,
                                    message->body.len);
    if (err != POT_OK) {
        return err;
    }
    if (is_well_formed(&g, body, message)) {
        signed_hash(&g.hash, SIGNED_GROUP, message);
        g.members = pot_memdup(body->members.data, body->members.len);
        *out = g;
    } else {
        err = POT_EFORMAT;
    }
    codec_free(body);
    return err;
}

void group_fini(struct group *group)
{
    free(group->members);
    group->members = NULL;
}

bool group_find(size_t *index, const struct group *group,
                const struct hash *member)
{
    const struct hash *found =
        bsearch(member, group->members, group->member_count,
                sizeof(*group->members), hash_order);
    if (found != NULL) {
        *index = (size_t)(found - group->members);
    }
    return found != NULL;
}

enum pot_err group_word_decode(struct group_word *out,
                               const Pot__Signed *message)
{
    Pot__GroupWordBody *body;
    enum pot_err err = CODEC_DECODE(&body, pot__group_word_body,
                                    message->body.data, message->body.len);
    if (err != POT_OK) {
        return err;
    }
    bool is_sound = codec_key(&out->validator, message->public_key) &&
                    message->signature.len == SIGNATURE_SIZE &&
                    codec_hash(&out->task, body->task) &&
                    codec_hash(&out->group, body->group);
    out->round = body->round;
    out->is_right = body->is_right;
    codec_free(body);
    return is_sound ? POT_OK : POT_EFORMAT;
}

void group_leaf(struct hash *out, const struct round_submission *submission)
{
    struct hasher h;
    hasher_init(&h, "group-member");
    hasher_add(&h, submission->miner.b, PUBLIC_KEY_SIZE);
    hasher_add(&h, submission->payload.b, HASH_SIZE);
    hasher_final(&h, out);
}

static void draw(struct hash *out, const struct group *group,
                 const struct public_key *validator)
{
    struct hasher h;
    hasher_init(&h, "group-opener");
    hasher_add(&h, group->hash.b, HASH_SIZE);
    hasher_add(&h, validator->b, PUBLIC_KEY_SIZE);
    hasher_final(&h, out);
}

/* The f + 1 lowest draws. */
bool group_opens(const struct group *group, const struct validator_set *set,
                 const struct public_key *validator)
{
    uint32_t index;
    struct hash own;
    size_t lower = 0;
    draw(&own, group, validator);
    for (uint32_t i = 0; i < set->count; i++) {
        struct hash other;
        draw(&other, group, &set->keys[i]);
        lower += hash_compare(&other, &own) < 0 ? 1 : 0;
    }
    return validator_set_find(&index, set, validator) &&
           lower < group_words_needed(set);
}

size_t group_words_needed(const struct validator_set *set)
{
    return (size_t)validator_set_faults(set->count) + 1;
}
