/* potbench_accounts: many accounts with money, and their transfers, signed
 * before they are needed. */
#ifndef POT_TESTS_BENCH_POTBENCH_ACCOUNTS_H
#define POT_TESTS_BENCH_POTBENCH_ACCOUNTS_H

#include <stddef.h>
#include <stdint.h>

#include "ctl/sender.h"
#include "tests/bench/potbench.h"

struct potbench_tx {
    struct hash hash;
    uint8_t *data;
    size_t size;
};

struct potbench_account {
    struct key *key;
    struct potbench_tx *txs; /* with the nonces 0, 1, ... */
    size_t count;
    size_t capacity;
    size_t next; /* the one to be sent next */
};

struct potbench_accounts {
    struct potbench *bench;
    struct sender sender; /* who pays; also holds the chain's parameters */
    uint64_t funds;       /* of each at the beginning */
    struct potbench_account *items;
    size_t count;
};

/* potbench_accounts_fund: count accounts of these keys, which it takes, each
 * funded by the account of key_path; returns when the last one has its money.
 * potbench_accounts_open: the same with fresh keys.  potbench_accounts_close in
 * any case. */
POT_MUST_USE enum exit_code potbench_accounts_fund(
    struct potbench_accounts *accounts, struct potbench *bench, const char *url,
    const char *key_path, struct key *const *keys, size_t count,
    uint64_t funds);
POT_MUST_USE enum exit_code potbench_accounts_open(
    struct potbench_accounts *accounts, struct potbench *bench, const char *url,
    const char *key_path, size_t count);
void potbench_accounts_close(struct potbench_accounts *accounts);

/* potbench_accounts_sign: count transfers of each account ahead. */
void potbench_accounts_sign(struct potbench_accounts *accounts, size_t count);

/* potbench_accounts_next: the account's next transfer; the caller adds one
 * to its next when it is accepted. */
const struct potbench_tx *potbench_accounts_next(
    struct potbench_accounts *accounts, size_t index);

#endif
