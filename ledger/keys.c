#include "config.h"

#include "ledger/keys.h"

#include "base/check.h"

#include <string.h>

static struct state_key make(const char *prefix, const void *tail, size_t size)
{
    struct state_key key = {.size = strlen(prefix) + size};
    POT_ASSERT(key.size <= KEYS_SIZE_MAX);
    memcpy(key.b, prefix, strlen(prefix));
    if (size > 0) {
        memcpy(key.b + strlen(prefix), tail, size);
    }
    return key;
}

static struct state_key make_numbered(const char *prefix, uint64_t number)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(number >> (56 - 8 * i));
    }
    return make(prefix, bytes, sizeof(bytes));
}

struct state_key keys_account(const struct public_key *account)
{
    return make("account/", account->b, PUBLIC_KEY_SIZE);
}

struct state_key keys_dataset(const struct hash *address)
{
    return make("dataset/", address->b, HASH_SIZE);
}

struct state_key keys_dataset_number(uint64_t number)
{
    return make_numbered("dataset-number/", number);
}

struct state_key keys_task(const struct hash *task)
{
    return make("task/", task->b, HASH_SIZE);
}

struct state_key keys_task_number(uint64_t number)
{
    return make_numbered("task-number/", number);
}

struct state_key keys_draws(const struct hash *task)
{
    return make("draws/", task->b, HASH_SIZE);
}

struct state_key keys_blob(const struct hash *hash)
{
    return make("blob/", hash->b, HASH_SIZE);
}

bool keys_read_blob(struct hash *out, const void *key, size_t key_size)
{
    static const char prefix[] = "blob/";
    const size_t head = sizeof(prefix) - 1;
    if (key_size != head + HASH_SIZE || memcmp(key, prefix, head) != 0) {
        return false;
    }
    memcpy(out->b, (const uint8_t *)key + head, HASH_SIZE);
    return true;
}

struct state_key keys_running(void)
{
    return make("running", NULL, 0);
}

struct state_key keys_opening(void)
{
    return make("opening", NULL, 0);
}

struct state_key keys_stakers_validator(void)
{
    return make("stakers/validator", NULL, 0);
}

struct state_key keys_stakers_miner(void)
{
    return make("stakers/miner", NULL, 0);
}

struct state_key keys_validators(void)
{
    return make("validators", NULL, 0);
}

struct state_key keys_signers(uint64_t epoch)
{
    return make_numbered("signers/", epoch);
}

struct state_key keys_unbonding(uint64_t height)
{
    return make_numbered("unbonding/", height);
}

void keys_closed_name(struct hash *out, const struct hash *task, uint32_t round)
{
    struct hasher h;
    hasher_init(&h, "closed-round");
    hasher_add(&h, task->b, HASH_SIZE);
    hasher_add_u32(&h, round);
    hasher_final(&h, out);
}

struct state_key keys_closed_named(const struct hash *name)
{
    return make("closed/", name->b, HASH_SIZE);
}

struct state_key keys_closed(const struct hash *task, uint32_t round)
{
    struct hash name;
    keys_closed_name(&name, task, round);
    return keys_closed_named(&name);
}

struct state_key keys_closed_until(uint64_t height)
{
    return make_numbered("closed-until/", height);
}

struct state_key keys_challenged(const struct hash *name)
{
    return make("challenged/", name->b, HASH_SIZE);
}

struct state_key keys_challenge(const struct hash *submission)
{
    return make("challenge/", submission->b, HASH_SIZE);
}

struct state_key keys_challenge_number(uint64_t number)
{
    return make_numbered("challenge-number/", number);
}

struct state_key keys_open_challenge(uint64_t place)
{
    return make_numbered("open-challenge/", place);
}

struct state_key keys_challenges_task(const struct hash *task)
{
    return make("challenges-task/", task->b, HASH_SIZE);
}

struct state_key keys_challenges_own(const struct public_key *challenger)
{
    return make("challenges-own/", challenger->b, PUBLIC_KEY_SIZE);
}

struct state_key keys_supply(void)
{
    return make("supply", NULL, 0);
}
