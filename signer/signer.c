#include "config.h"

#include "signer/signer.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "signer/sign_rules.h"
#include "storage/sign_state.h"

#include <stdlib.h>
#include <string.h>

struct signer {
    const struct key *key;
    struct hash chain;
    struct sign_state *state;
    struct sign_rules rules; /* as they are on disk */
    bool has_failed;         /* the last save, and no sync tells of it */
};

enum pot_err signer_open(struct signer **out, const struct key *key,
                         const char *state, const struct hash *chain)
{
    struct sign_state *opened;
    struct sign_rules rules;
    size_t size;
    *out = NULL;
    enum pot_err err = sign_state_open(&opened, state, key_public(key), chain);
    if (err != POT_OK) {
        return err;
    }
    if (sign_state_is_torn(opened)) {
        LOG(LOG_WARN, "signer",
            "the state has a damaged record: the one before stands",
            log_text("file", state));
    }
    const void *record = sign_state_record(opened, &size);
    err = sign_rules_decode(&rules, record, size);
    if (err != POT_OK) {
        sign_state_close(opened);
        return err;
    }
    *out = pot_calloc(1, sizeof(**out));
    (*out)->key = key;
    (*out)->chain = *chain;
    (*out)->state = opened;
    (*out)->rules = rules;
    return POT_OK;
}

void signer_close(struct signer *signer)
{
    if (signer != NULL) {
        sign_state_close(signer->state);
        free(signer);
    }
}

/* Keeps the step before anything is signed. */
static enum sign_verdict keep(struct signer *signer,
                              const struct sign_step *step)
{
    uint8_t record[SIGN_RULES_SIZE];
    struct sign_rules next = signer->rules;
    sign_rules_take(&next, step);
    sign_rules_encode(record, &next);
    if (signer->has_failed && sign_state_renew(signer->state) != POT_OK) {
        return SIGN_NOT_STORED;
    }
    enum pot_err err = sign_state_save(signer->state, record, sizeof(record));
    signer->has_failed = err == POT_EIO;
    if (err != POT_OK) {
        return SIGN_NOT_STORED;
    }
    signer->rules = next;
    return SIGN_DONE;
}

static enum sign_verdict judge(struct signer *signer,
                               const struct sign_question *question)
{
    struct sign_step step;
    bool is_step;
    if (!hash_equal(&question->chain, &signer->chain)) {
        return SIGN_OTHER_CHAIN;
    }
    if (!sign_step_view(&step, &is_step, question)) {
        return SIGN_MALFORMED;
    }
    if (!is_step) {
        return SIGN_DONE;
    }
    enum sign_verdict verdict = sign_rules_judge(&signer->rules, &step);
    bool is_new =
        verdict == SIGN_DONE && !sign_rules_is_known(&signer->rules, &step);
    return is_new ? keep(signer, &step) : verdict;
}

enum sign_verdict signer_answer(struct signer *signer,
                                struct signature *signature,
                                const struct sign_question *question)
{
    memset(signature, 0, sizeof(*signature));
    enum sign_verdict verdict = judge(signer, question);
    if (verdict != SIGN_DONE) {
        return verdict;
    }
    if (question->tag == SIGN_HELLO) {
        memcpy(signature->b, key_public(signer->key)->b, PUBLIC_KEY_SIZE);
        return verdict;
    }
    bool is_signed =
        key_sign(signature, signer->key, sign_tag_what(question->tag),
                 &signer->chain, question->message, question->size);
    POT_ASSERT(is_signed);
    return verdict;
}
