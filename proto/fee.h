/* fee: what a transaction costs at least.
 *
 *   fee_base + fee_byte * (bytes + work / FEE_WORK_PER_BYTE)
 *
 * bytes are those of the signed transaction; work is what the action makes
 * every node store or compute beside it, in bytes too: a data set's size, a
 * task's parameters in each of its rounds.  Nothing wraps: a fee that would
 * not fit is UINT64_MAX. */
#ifndef POT_PROTO_FEE_H
#define POT_PROTO_FEE_H

#include <stddef.h>
#include <stdint.h>

#include "base/amount.h"
#include "proto/chain.pb-c.h"

#define FEE_WORK_PER_BYTE 64

/* fee_work: the bytes that the body's action makes a node store or compute;
 * 0 for one that cannot be executed anyway.  Outside this module tests ask
 * it. */
uint64_t fee_work(const Pot__TxBody *body);

/* fee_min: the least fee of a signed transaction of tx_bytes. */
struct amount fee_min(const Pot__GenesisParams *params, const Pot__TxBody *body,
                      size_t tx_bytes);

/* fee_estimate: a fee that is enough for body whatever its fee field holds
 * now, for those who still have to fill and sign it. */
struct amount fee_estimate(const Pot__GenesisParams *params,
                           const Pot__TxBody *body);

#endif
