/* Ed25519 once a signature: key_sign, key_claim_holds and key_batch_check are
 * wrapped by the linker (--wrap), so that a resent message or a certificate in
 * many hands costs a hash.  All are pure functions; only their cost changes,
 * but for keys that are held. */
#include "config.h"

#include "tests/sim/sim_signatures.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/key.h"
#include "base/key_batch.h"

#include <string.h>

#define SLOTS (1U << 14)

struct verified {
    struct hash question;
    bool is_used;
    bool is_right;
};

struct made {
    struct hash question;
    bool is_used;
    struct signature signature;
};

static bool is_held;
static bool was_asked;
static struct verified verified[SLOTS];
static struct made made[SLOTS];

bool __real_key_sign(struct signature *out, const struct key *key,
                     const char *what, const struct hash *chain,
                     const void *message, size_t size);
bool __wrap_key_sign(struct signature *out, const struct key *key,
                     const char *what, const struct hash *chain,
                     const void *message, size_t size);
bool __real_key_claim_holds(const struct key_claim *claim);
bool __wrap_key_claim_holds(const struct key_claim *claim);
void __wrap_key_batch_check(const struct key_claim *claims, size_t count,
                            bool *holds);

static size_t question_slot(struct hash *question, const struct public_key *key,
                            const struct signed_bytes *bytes,
                            const struct signature *signature)
{
    struct hasher h;
    hasher_init(&h, "question");
    hasher_add(&h, key->b, PUBLIC_KEY_SIZE);
    if (signature != NULL) {
        hasher_add(&h, signature->b, SIGNATURE_SIZE);
    }
    hasher_add(&h, bytes->data, bytes->size);
    hasher_final(&h, question);
    uint32_t slot;
    memcpy(&slot, question->b, sizeof(slot));
    return slot % SLOTS;
}

bool __wrap_key_sign(struct signature *out, const struct key *key,
                     const char *what, const struct hash *chain,
                     const void *message, size_t size)
{
    if (is_held) {
        was_asked = true;
        memset(out, 0, sizeof(*out));
        return false;
    }
    struct hash question;
    struct signed_bytes bytes;
    signed_bytes_init(&bytes, what, chain, message, size);
    struct made *slot =
        &made[question_slot(&question, key_public(key), &bytes, NULL)];
    if (!slot->is_used || !hash_equal(&slot->question, &question)) {
        (void)__real_key_sign(&slot->signature, key, what, chain, message,
                              size);
        slot->question = question;
        slot->is_used = true;
        /* What was just signed right needs no verification: it is. */
        struct hash answer;
        struct verified *v = &verified[question_slot(&answer, key_public(key),
                                                     &bytes, &slot->signature)];
        *v = (struct verified){answer, true, true};
    }
    *out = slot->signature;
    return true;
}

void sim_signatures_hold(void)
{
    is_held = true;
}

bool sim_signatures_release(void)
{
    bool result = was_asked;
    is_held = false;
    was_asked = false;
    return result;
}

bool __wrap_key_claim_holds(const struct key_claim *claim)
{
    struct hash question;
    struct verified *slot = &verified[question_slot(
        &question, &claim->public_key, &claim->bytes, &claim->signature)];
    if (!slot->is_used || !hash_equal(&slot->question, &question)) {
        slot->is_right = __real_key_claim_holds(claim);
        slot->question = question;
        slot->is_used = true;
    }
    return slot->is_right;
}

void __wrap_key_batch_check(const struct key_claim *claims, size_t count,
                            bool *holds)
{
    for (size_t i = 0; i < count; i++) {
        holds[i] = __wrap_key_claim_holds(&claims[i]);
    }
}
