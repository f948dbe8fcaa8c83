#include "config.h"

#include "consensus/votes.h"

#include "base/alloc.h"
#include "base/check.h"
#include "proto/codec.h"

#include <string.h>

static size_t phase_index(Pot__Phase phase)
{
    POT_ASSERT(phase >= POT__PHASE__PHASE_PRE_PREPARE);
    POT_ASSERT(phase <= POT__PHASE__PHASE_COMMIT);
    return (size_t)phase - 1;
}

void votes_clear(struct votes *votes, uint32_t count)
{
    POT_ASSERT(count <= VALIDATORS_MAX);
    memset(votes, 0, sizeof(*votes));
    votes->count = count;
}

/* The free entry, or else the one of the lowest view. */
static struct votes_entry *entry_to_replace(struct votes_entry *entries)
{
    struct votes_entry *lowest = &entries[0];
    for (size_t i = 0; i < VOTES_VIEWS; i++) {
        if (!entries[i].is_used) {
            return &entries[i];
        }
        if (entries[i].view < lowest->view) {
            lowest = &entries[i];
        }
    }
    return lowest;
}

enum votes_outcome votes_add(struct votes *votes, const struct vote *vote,
                             const struct signature *signature)
{
    POT_ASSERT(vote->replica < votes->count);
    const struct votes_entry *same =
        votes_find(votes, vote->phase, vote->view, vote->replica);
    if (same != NULL) {
        return hash_equal(&same->digest, &vote->digest) ? VOTES_KNOWN
                                                        : VOTES_CONFLICT;
    }
    struct votes_entry *entry = entry_to_replace(
        votes->entries[phase_index(vote->phase)][vote->replica]);
    if (entry->is_used && entry->view > vote->view) {
        return VOTES_OLD;
    }
    *entry = (struct votes_entry){
        .is_used = true,
        .view = vote->view,
        .digest = vote->digest,
        .signature = *signature,
    };
    return VOTES_NEW;
}

const struct votes_entry *votes_find(const struct votes *votes,
                                     Pot__Phase phase, uint64_t view,
                                     uint32_t replica)
{
    const struct votes_entry *entries =
        votes->entries[phase_index(phase)][replica];
    for (size_t i = 0; i < VOTES_VIEWS; i++) {
        if (entries[i].is_used && entries[i].view == view) {
            return &entries[i];
        }
    }
    return NULL;
}

bool votes_has(const struct votes *votes, Pot__Phase phase, uint64_t view,
               uint32_t replica, const struct hash *digest)
{
    const struct votes_entry *entry = votes_find(votes, phase, view, replica);
    return entry != NULL && hash_equal(&entry->digest, digest);
}

uint32_t votes_count(const struct votes *votes, Pot__Phase phase, uint64_t view,
                     const struct hash *digest)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < votes->count; i++) {
        count += votes_has(votes, phase, view, i, digest);
    }
    return count;
}

size_t votes_collect(const struct votes *votes, Pot__VoteSignature ***out,
                     Pot__Phase phase, uint64_t view, const struct hash *digest,
                     size_t max)
{
    size_t count = 0;
    *out = pot_calloc(max > 0 ? max : 1, sizeof(**out));
    for (uint32_t i = 0; i < votes->count && count < max; i++) {
        if (!votes_has(votes, phase, view, i, digest)) {
            continue;
        }
        Pot__VoteSignature *each = pot_alloc(sizeof(*each));
        pot__vote_signature__init(each);
        each->replica = i;
        each->signature = codec_copy_bytes(
            votes_find(votes, phase, view, i)->signature.b, SIGNATURE_SIZE);
        (*out)[count++] = each;
    }
    return count;
}

bool votes_holds_body(const struct votes *votes, uint32_t replica,
                      const struct hash *digest)
{
    for (size_t phase = 0; phase < VOTES_PHASES; phase++) {
        for (size_t i = 0; i < VOTES_VIEWS; i++) {
            const struct votes_entry *entry =
                &votes->entries[phase][replica][i];
            if (entry->is_used && hash_equal(&entry->digest, digest)) {
                return true;
            }
        }
    }
    return false;
}
