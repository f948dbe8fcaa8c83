/* roster: miners of a task as arrays of roster entries, by ascending key, as
 * they lie in a TaskRecord. */
#ifndef POT_LEDGER_ROSTER_H
#define POT_LEDGER_ROSTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/key.h"
#include "proto/state.pb-c.h"

/* The two fields of a repeated RosterEntry. */
struct roster {
    Pot__RosterEntry **entries;
    size_t count;
};

/* roster_find: whether miner is in it; *index is its place, or where it would
 * stand. */
bool roster_find(struct roster roster, const struct public_key *miner,
                 size_t *index);

/* roster_insert, roster_remove: at index, as roster_find gave it. */
void roster_insert(struct roster *roster, size_t index,
                   const struct public_key *miner);
void roster_remove(struct roster *roster, size_t index);

/* roster_clear: frees all entries.  roster_copy: a deep copy. */
void roster_clear(struct roster *roster);
struct roster roster_copy(struct roster roster);

/* The rosters of a task record, and back after a change. */
struct roster roster_of_members(const Pot__TaskRecord *task);
struct roster roster_of_round(const Pot__TaskRecord *task);
void roster_set_members(Pot__TaskRecord *task, struct roster roster);
void roster_set_round(Pot__TaskRecord *task, struct roster roster);

#endif
