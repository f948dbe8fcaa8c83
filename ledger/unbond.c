#include "config.h"

#include "ledger/unbond.h"

#include "base/check.h"
#include "ledger/account.h"
#include "ledger/epoch.h"
#include "ledger/keys.h"
#include "ledger/list.h"
#include "proto/codec.h"

#include <string.h>

bool unbond_begin(const struct state *state, const Pot__GenesisParams *params,
                  uint64_t height, const struct public_key *key,
                  struct account *account, uint64_t amount)
{
    uint64_t free_height =
        epoch_last(params, height) + params->unbonding_blocks;
    size_t count = account->unbonding_count;
    struct unbonding *last = count > 0 ? &account->unbonding[count - 1] : NULL;
    if (last != NULL && last->height == free_height) {
        last->amount += amount;
        return true;
    }
    if (count == UNBONDINGS_MAX ||
        list_count(state, keys_unbonding(free_height)) >= STAKERS_MAX) {
        return false;
    }
    POT_ASSERT(last == NULL || last->height < free_height);
    account->unbonding[account->unbonding_count++] =
        (struct unbonding){amount, free_height};
    list_append(state, keys_unbonding(free_height), key->b);
    return true;
}

/* The oldest part of an account is the one that is due. */
static void release(const struct state *state, const struct public_key *key,
                    uint64_t height)
{
    struct account account;
    ledger_account(state, key, &account);
    POT_ASSERT(account.unbonding_count > 0 &&
               account.unbonding[0].height == height);
    POT_ASSERT(account.unbonding[0].amount <= UINT64_MAX - account.balance);
    account.balance += account.unbonding[0].amount;
    account.unbonding_count--;
    memmove(&account.unbonding[0], &account.unbonding[1],
            account.unbonding_count * sizeof(account.unbonding[0]));
    account_store(state, key, &account);
}

void unbond_end(const struct state *state, uint64_t height)
{
    struct state_key at = keys_unbonding(height);
    Pot__HashList *accounts = list_load(state, at);
    for (size_t i = 0; i < accounts->n_hashes; i++) {
        struct public_key key;
        bool is_key = codec_key(&key, accounts->hashes[i]);
        POT_ASSERT(is_key);
        release(state, &key, height);
    }
    if (accounts->n_hashes > 0) {
        state->del(state->context, at.b, at.size);
    }
    codec_free(accounts);
}
