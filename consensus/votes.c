#include "config.h"

#include "consensus/votes.h"

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

/* A replica's vote for digest in view, or NULL. */
static const struct votes_entry *find_for(const struct votes *votes,
                                          Pot__Phase phase, uint64_t view,
                                          uint32_t replica,
                                          const struct hash *digest)
{
    const struct votes_entry *entry = votes_find(votes, phase, view, replica);
    return entry != NULL && hash_equal(&entry->digest, digest) ? entry : NULL;
}

uint32_t votes_count(const struct votes *votes, Pot__Phase phase, uint64_t view,
                     const struct hash *digest)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < votes->count; i++) {
        count += find_for(votes, phase, view, i, digest) != NULL;
    }
    return count;
}

void votes_collect(struct votes_signatures *out, const struct votes *votes,
                   Pot__Phase phase, uint64_t view, const struct hash *digest,
                   size_t max)
{
    out->count = 0;
    for (uint32_t i = 0; i < votes->count && out->count < max; i++) {
        const struct votes_entry *entry =
            find_for(votes, phase, view, i, digest);
        if (entry != NULL) {
            Pot__VoteSignature *item = &out->items[out->count];
            pot__vote_signature__init(item);
            item->replica = i;
            item->signature = codec_bytes(entry->signature.b, SIGNATURE_SIZE);
            out->list[out->count++] = item;
        }
    }
}

bool votes_holds_block(const struct votes *votes, uint32_t replica,
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
