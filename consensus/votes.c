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

/* Those of all phases; no others were ever set. */
static void clear_rows(struct votes *votes)
{
    for (size_t phase = 0; phase < VOTES_PHASES; phase++) {
        memset(votes->entries[phase], 0,
               votes->count * sizeof(votes->entries[phase][0]));
    }
}

void votes_clear(struct votes *votes, uint32_t count)
{
    POT_ASSERT(count <= VALIDATORS_MAX);
    clear_rows(votes);
    votes->count = count;
}

void votes_copy(struct votes *out, const struct votes *votes)
{
    votes_clear(out, votes->count);
    for (size_t phase = 0; phase < VOTES_PHASES; phase++) {
        memcpy(out->entries[phase], votes->entries[phase],
               votes->count * sizeof(votes->entries[phase][0]));
    }
}

static bool is_of(const struct votes_entry *entry, uint64_t view)
{
    return entry->is_used && entry->view == view;
}

/* Of one replica's entries in a phase: that of the view, else a free one, else
 * that of the lowest view. */
static size_t place(const struct votes_entry *entries, uint64_t view)
{
    size_t lowest = 0;
    for (size_t i = 0; i < VOTES_VIEWS; i++) {
        if (is_of(&entries[i], view)) {
            return i;
        }
        if (!entries[i].is_used || (entries[lowest].is_used &&
                                    entries[i].view < entries[lowest].view)) {
            lowest = i;
        }
    }
    return lowest;
}

static struct votes_entry *find(struct votes *votes, Pot__Phase phase,
                                uint64_t view, uint32_t replica)
{
    struct votes_entry *entries = votes->entries[phase_index(phase)][replica];
    return &entries[place(entries, view)];
}

static enum votes_outcome put(struct votes *votes, const struct vote *vote,
                              const struct signature *signature,
                              bool is_checked)
{
    POT_ASSERT(vote->replica < votes->count);
    struct votes_entry *entry =
        find(votes, vote->phase, vote->view, vote->replica);
    if (is_of(entry, vote->view)) {
        if (!hash_equal(&entry->digest, &vote->digest)) {
            return VOTES_CONFLICT;
        }
        if (entry->is_checked || !is_checked) {
            return VOTES_KNOWN;
        }
    } else if (entry->is_used && entry->view > vote->view) {
        return VOTES_OLD;
    }
    *entry = (struct votes_entry){
        .is_used = true,
        .is_checked = is_checked,
        .view = vote->view,
        .digest = vote->digest,
        .signature = *signature,
    };
    return VOTES_NEW;
}

enum votes_outcome votes_add(struct votes *votes, const struct vote *vote,
                             const struct signature *signature)
{
    return put(votes, vote, signature, true);
}

void votes_keep(struct votes *votes, const struct vote *vote,
                const struct signature *signature)
{
    (void)put(votes, vote, signature, false);
}

const struct votes_entry *votes_find(const struct votes *votes,
                                     Pot__Phase phase, uint64_t view,
                                     uint32_t replica)
{
    const struct votes_entry *entries =
        votes->entries[phase_index(phase)][replica];
    const struct votes_entry *entry = &entries[place(entries, view)];
    return is_of(entry, view) ? entry : NULL;
}

void votes_settle(struct votes *votes, Pot__Phase phase, uint64_t view,
                  uint32_t replica, bool holds)
{
    struct votes_entry *entry = find(votes, phase, view, replica);
    POT_ASSERT(is_of(entry, view));
    entry->is_checked = holds;
    entry->is_used = holds;
}

/* A replica's vote for digest in view that counts, or NULL. */
static const struct votes_entry *find_for(const struct votes *votes,
                                          Pot__Phase phase, uint64_t view,
                                          uint32_t replica,
                                          const struct hash *digest)
{
    const struct votes_entry *entry = votes_find(votes, phase, view, replica);
    return entry != NULL && entry->is_checked &&
                   hash_equal(&entry->digest, digest)
               ? entry
               : NULL;
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
