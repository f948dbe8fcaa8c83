#include "config.h"

#include "ledger/roster.h"

#include "base/alloc.h"
#include "base/check.h"
#include "proto/codec.h"

#include <stdlib.h>
#include <string.h>

bool roster_find(struct roster roster, const struct public_key *miner,
                 size_t *index)
{
    size_t low = 0;
    size_t high = roster.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        POT_ASSERT(roster.entries[middle]->miner.len == PUBLIC_KEY_SIZE);
        int order = memcmp(roster.entries[middle]->miner.data, miner->b,
                           PUBLIC_KEY_SIZE);
        if (order == 0) {
            *index = middle;
            return true;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *index = low;
    return false;
}

static Pot__RosterEntry *make_entry(const uint8_t *miner, uint32_t absent)
{
    Pot__RosterEntry *entry = pot_alloc(sizeof(*entry));
    pot__roster_entry__init(entry);
    entry->miner = codec_copy_bytes(miner, PUBLIC_KEY_SIZE);
    entry->absent = absent;
    return entry;
}

void roster_insert(struct roster *roster, size_t index,
                   const struct public_key *miner)
{
    POT_ASSERT(index <= roster->count);
    roster->entries = pot_realloc(roster->entries, roster->count + 1,
                                  sizeof(*roster->entries));
    memmove(&roster->entries[index + 1], &roster->entries[index],
            (roster->count - index) * sizeof(*roster->entries));
    roster->entries[index] = make_entry(miner->b, 0);
    roster->count++;
}

void roster_remove(struct roster *roster, size_t index)
{
    POT_ASSERT(index < roster->count);
    codec_free(roster->entries[index]);
    memmove(&roster->entries[index], &roster->entries[index + 1],
            (roster->count - index - 1) * sizeof(*roster->entries));
    roster->count--;
}

void roster_clear(struct roster *roster)
{
    for (size_t i = 0; i < roster->count; i++) {
        codec_free(roster->entries[i]);
    }
    free(roster->entries);
    *roster = (struct roster){NULL, 0};
}

struct roster roster_copy(struct roster roster)
{
    struct roster copy = {NULL, roster.count};
    if (roster.count > 0) {
        copy.entries = pot_calloc(roster.count, sizeof(*copy.entries));
    }
    for (size_t i = 0; i < roster.count; i++) {
        const Pot__RosterEntry *entry = roster.entries[i];
        copy.entries[i] = make_entry(entry->miner.data, entry->absent);
    }
    return copy;
}

struct roster roster_of_members(const Pot__TaskRecord *task)
{
    return (struct roster){task->members, task->n_members};
}

struct roster roster_of_round(const Pot__TaskRecord *task)
{
    return (struct roster){task->roster, task->n_roster};
}

void roster_set_members(Pot__TaskRecord *task, struct roster roster)
{
    task->members = roster.entries;
    task->n_members = roster.count;
}

void roster_set_round(Pot__TaskRecord *task, struct roster roster)
{
    task->roster = roster.entries;
    task->n_roster = roster.count;
}
