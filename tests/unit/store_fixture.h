/* store_fixture: chains for storage's tests. */
#ifndef POT_TESTS_STORE_FIXTURE_H
#define POT_TESTS_STORE_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/overlay.h"
#include "storage/store.h"
#include "tests/rng.h"
#include "tests/scratch.h"

/* fixture_open: an open store, or the test fails. */
struct store *fixture_open(const char *folder);

/* What a block of fixture_commit holds beside the overlay. */
struct fixture_extra {
    const struct hash *txs;
    size_t tx_count;
    const struct store_reward *rewards;
    size_t reward_count;
    const struct store_round *rounds;
    size_t round_count;
};

/* fixture_commit: commits overlay in a real block at the next height; extra
 * may be NULL. */
enum pot_err fixture_commit(struct store *store, struct overlay *overlay,
                            const struct fixture_extra *extra);

/* fixture_commit_soon: by store_commit_soon. */
enum pot_err fixture_commit_soon(struct store *store, struct overlay *overlay,
                                 bool may_wait);

/* fixture_commit_empty: a block that changes nothing. */
enum pot_err fixture_commit_empty(struct store *store);

#endif
