/* Errors, planted to see that the checks find them: each stands in place of a
 * function of the node and is the real one unless it is asked for. */
#include "config.h"

#include "ledger/account.h"
#include "node/block/decided.h"
#include "node/block/errands.h"
#include "proto/codec.h"
#include "proto/consensus.pb-c.h"
#include "storage/sign_state.h"
#include "storage/store.h"
#include "tests/vsim/vsim_world.h"

#include <stdlib.h>

/* ---- a vote that is not written down */

enum pot_err __real_sign_state_save(struct sign_state *state, const void *data,
                                    size_t size);
enum pot_err __wrap_sign_state_save(struct sign_state *state, const void *data,
                                    size_t size);

enum pot_err __wrap_sign_state_save(struct sign_state *state, const void *data,
                                    size_t size)
{
    return vsim_is_planted(PLANT_NO_RECORD)
               ? POT_OK
               : __real_sign_state_save(state, data, size);
}

/* ---- a quorum that is none */

uint32_t __real_validator_set_quorum(uint32_t count);
uint32_t __wrap_validator_set_quorum(uint32_t count);

uint32_t __wrap_validator_set_quorum(uint32_t count)
{
    return vsim_is_planted(PLANT_QUORUM) ? (count + 1) / 2
                                         : __real_validator_set_quorum(count);
}

/* ---- a transaction that may come again, or brings units out of nothing */

enum tx_verdict __real_ledger_apply_tx(const struct ledger_env *env,
                                       const struct ledger_block *block,
                                       const Pot__Signed *message,
                                       bool is_verified);
enum tx_verdict __wrap_ledger_apply_tx(const struct ledger_env *env,
                                       const struct ledger_block *block,
                                       const Pot__Signed *message,
                                       bool is_verified);

enum tx_verdict __wrap_ledger_apply_tx(const struct ledger_env *env,
                                       const struct ledger_block *block,
                                       const Pot__Signed *message,
                                       bool is_verified)
{
    enum tx_verdict verdict =
        __real_ledger_apply_tx(env, block, message, is_verified);
    struct public_key key;
    struct account account;
    if (verdict == TX_ACCEPTED && codec_key(&key, message->public_key)) {
        (void)ledger_account(&env->state, &key, &account);
        account.nonce -= vsim_is_planted(PLANT_REPLAY);
        account.balance += vsim_is_planted(PLANT_MINT);
        account_store(&env->state, &key, &account);
    }
    return verdict;
}

/* ---- blocks without what belongs to them */

enum pot_err __real_store_commit_soon(struct store *store,
                                      const struct store_commit *commit,
                                      struct overlay *overlay, bool may_wait);
enum pot_err __wrap_store_commit_soon(struct store *store,
                                      const struct store_commit *commit,
                                      struct overlay *overlay, bool may_wait);

static uint8_t *lose_signature(size_t *size, const void *data)
{
    Pot__CommitCertificate *certificate;
    if (CODEC_DECODE(&certificate, pot__commit_certificate, data, *size) !=
        POT_OK) {
        return NULL;
    }
    size_t count = certificate->n_signatures;
    certificate->n_signatures = count - 1;
    uint8_t *fewer = codec_encode(size, certificate);
    certificate->n_signatures = count;
    codec_free(certificate);
    return fewer;
}

enum pot_err __wrap_store_commit_soon(struct store *store,
                                      const struct store_commit *commit,
                                      struct overlay *overlay, bool may_wait)
{
    struct store_commit spoilt = *commit;
    uint8_t *fewer = NULL;
    if (vsim_is_planted(PLANT_INDEX)) {
        spoilt.tx_count = 0;
    }
    if (vsim_is_planted(PLANT_CERTIFICATE) && commit->certificate_size > 0) {
        fewer = lose_signature(&spoilt.certificate_size, commit->certificate);
        spoilt.certificate = fewer;
    }
    enum pot_err err =
        __real_store_commit_soon(store, &spoilt, overlay, may_wait);
    free(fewer);
    return err;
}

/* ---- blocks that are nowhere on the disk */

enum pot_err __real_decided_append(struct decided *decided, struct buf *out,
                                   struct store *store);
enum pot_err __wrap_decided_append(struct decided *decided, struct buf *out,
                                   struct store *store);

enum pot_err __wrap_decided_append(struct decided *decided, struct buf *out,
                                   struct store *store)
{
    return vsim_is_planted(PLANT_NO_DECIDED)
               ? POT_OK
               : __real_decided_append(decided, out, store);
}

/* ---- nobody proposes */

void __real_errands_propose(struct errands *errands,
                            const struct pbft_effect *effect);
void __wrap_errands_propose(struct errands *errands,
                            const struct pbft_effect *effect);

void __wrap_errands_propose(struct errands *errands,
                            const struct pbft_effect *effect)
{
    if (!vsim_is_planted(PLANT_MUTE)) {
        __real_errands_propose(errands, effect);
    }
}
