/* memory_state: the ledger's environment in memory, for tests: a sorted map,
 * blobs and data sets, with a digest over all of it and one over the sequence
 * of writes. */
#ifndef POT_TESTS_UNIT_MEMORY_STATE_H
#define POT_TESTS_UNIT_MEMORY_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "ledger/ledger.h"
#include "proto/dataset.h"

struct memory_entry {
    uint8_t *key;
    size_t key_size;
    uint8_t *value;
    size_t value_size;
};

struct memory_map {
    struct memory_entry *entries; /* by ascending key */
    size_t count;
};

#define MEMORY_DATASETS_MAX 4

struct memory_state {
    struct memory_map map;
    struct memory_map blobs;
    struct hash addresses[MEMORY_DATASETS_MAX];
    const struct dataset *datasets[MEMORY_DATASETS_MAX]; /* borrowed */
    size_t dataset_count;
    struct hash writes; /* of the sequence of writes so far */
};

/* A zeroed struct memory_state is empty. */
void memory_state_fini(struct memory_state *m);

/* memory_state_copy: deep, entries inserted in descending order. */
void memory_state_copy(struct memory_state *out, const struct memory_state *m);

struct ledger_env memory_state_env(struct memory_state *m,
                                   const struct hash *chain);

void memory_state_add_dataset(struct memory_state *m,
                              const struct hash *address,
                              const struct dataset *dataset);

/* memory_state_digest: over the map and the blobs.  memory_state_digest_map:
 * over the map alone. */
void memory_state_digest(struct hash *out, const struct memory_state *m);
void memory_state_digest_map(struct hash *out, const struct memory_state *m);

/* memory_state_take_blobs: those of from that m lacks. */
void memory_state_take_blobs(struct memory_state *m,
                             const struct memory_state *from);

/* memory_state_count: entries whose key begins so. */
size_t memory_state_count(const struct memory_state *m, const char *prefix);

/* memory_state_total: of balances, stakes, unbonding ones, escrows and what
 * was burnt. */
uint64_t memory_state_total(const struct memory_state *m);

/* memory_state_check: record by record: bound stakes, rosters, held blobs. */
void memory_state_check(struct memory_state *m);

#endif
