/* genesis: where a chain begins, as genesis.json and as a Pot__Genesis.
 *
 *   {
 *     "chain_id": "pot-test",          1 to 64 of a-z 0-9 . _ -
 *     "time_ms": 1700000000000,
 *     "params": {
 *       "min_validator_stake": "10000000000000",     amounts: base units,
 *       ...                                          as text
 *       "epoch_blocks": 100                          counts: numbers
 *     },
 *     "accounts": [{"address": "pot1...", "balance": "5"}, ...],
 *     "stakes": [{"address": "pot1...", "role": "validator",
 *                 "amount": "10000000000000", "moniker": "alice"}, ...]
 *   }
 *
 * Every key is required and no other is known.  Accounts stand by ascending
 * public key; stakes hold the validators first, in the order of the first
 * validator set, then the miners. */
#ifndef POT_PROTO_GENESIS_H
#define POT_PROTO_GENESIS_H

#include <stddef.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/limits.h"
#include "proto/chain.pb-c.h"
#include "proto/validator_set.h"

#define GENESIS_BYTES_MAX    (16 << 20)
#define GENESIS_ACCOUNTS_MAX 100000
#define GENESIS_STAKES_MAX   (VALIDATORS_MAX + ROSTER_MAX)
#define GENESIS_WHY_SIZE     256

/* genesis_parse: a genesis.json of size bytes, all of it checked.
 *
 * Out:    *out is fresh, codec_free releases it; NULL on an error
 * Errors: POT_EFORMAT; why then says where and what, on one line, such as
 *         "accounts[3].balance: ..." or "line 7: ..." */
POT_MUST_USE enum pot_err genesis_parse(Pot__Genesis **out, const char *text,
                                        size_t size,
                                        char why[static GENESIS_WHY_SIZE]);

/* genesis_load: the same from a file.
 * Errors: also POT_ENOENT, POT_EACCESS, POT_ELIMIT, POT_EIO; why is set. */
POT_MUST_USE enum pot_err genesis_load(Pot__Genesis **out, const char *path,
                                       char why[static GENESIS_WHY_SIZE]);

/* genesis_check: the rules above and those between the values: sums that fit,
 * stakes that reach the minimum, nobody twice, at least one validator.
 * genesis_parse has done it.  Errors: POT_EFORMAT, why is set. */
POT_MUST_USE enum pot_err genesis_check(const Pot__Genesis *genesis,
                                        char why[static GENESIS_WHY_SIZE]);

/* genesis_format: the file's text, which genesis_parse reads back to the
 * same bytes; free() releases it. */
char *genesis_format(const Pot__Genesis *genesis);

/* genesis_hash: names the chain's beginning; block 1's parent. */
void genesis_hash(struct hash *out, const Pot__Genesis *genesis);

/* genesis_validators: the set that signs block 1. */
void genesis_validators(struct validator_set *out, const Pot__Genesis *genesis);

/* chain_id_hash: what stands for a chain id in headers and signatures. */
void chain_id_hash(struct hash *out, const char *chain_id);

#endif
