#include "config.h"

#include "ledger/record.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/check.h"
#include "proto/blob.h"
#include "proto/codec.h"

#include <stdlib.h>
#include <string.h>

/* The largest is a data set's chunk list, or a full roster twice. */
#define RECORD_BYTES_MAX (1 << 20)

void *record_load(const struct state *state, struct state_key key,
                  const ProtobufCMessageDescriptor *type)
{
    struct buf value;
    ProtobufCMessage *message = NULL;
    buf_init(&value, RECORD_BYTES_MAX);
    if (state->get(state->context, key.b, key.size, &value)) {
        POT_ASSERT(!value.is_overflown);
        enum pot_err err = codec_decode(&message, type, value.data, value.size);
        POT_ASSERT(err == POT_OK);
    }
    buf_fini(&value);
    return message;
}

void record_store(const struct state *state, struct state_key key,
                  const void *message)
{
    size_t size;
    uint8_t *data = codec_encode(&size, message);
    POT_ASSERT(size <= RECORD_BYTES_MAX);
    state->put(state->context, key.b, key.size, data, size);
    free(data);
}

bool ledger_account(const struct state *state, const struct public_key *key,
                    struct account *out)
{
    *out = (struct account){0};
    Pot__AccountRecord *r =
        record_load(state, keys_account(key), &pot__account_record__descriptor);
    if (r == NULL) {
        return false;
    }
    out->balance = r->balance;
    out->nonce = r->nonce;
    out->stake_validator = r->stake_validator;
    out->stake_miner = r->stake_miner;
    out->earned = r->earned;
    out->slashed = r->slashed;
    out->tasks_joined = r->tasks_joined;
    POT_ASSERT(strlen(r->moniker) <= TX_TEXT_MAX);
    memcpy(out->moniker, r->moniker, strlen(r->moniker) + 1);
    codec_free(r);
    return true;
}

void account_store(const struct state *state, const struct public_key *key,
                   const struct account *account)
{
    char moniker[TX_TEXT_MAX + 1];
    memcpy(moniker, account->moniker, sizeof(moniker));
    Pot__AccountRecord r = POT__ACCOUNT_RECORD__INIT;
    r.balance = account->balance;
    r.nonce = account->nonce;
    r.stake_validator = account->stake_validator;
    r.stake_miner = account->stake_miner;
    r.earned = account->earned;
    r.slashed = account->slashed;
    r.tasks_joined = account->tasks_joined;
    r.moniker = moniker;
    record_store(state, keys_account(key), &r);
}

void account_credit(const struct state *state, const struct public_key *key,
                    uint64_t units)
{
    struct account account;
    ledger_account(state, key, &account);
    POT_ASSERT(units <= UINT64_MAX - account.balance);
    account.balance += units;
    account_store(state, key, &account);
}

bool account_debit(const struct state *state, const struct public_key *key,
                   uint64_t units)
{
    struct account account;
    ledger_account(state, key, &account);
    if (units > account.balance) {
        return false;
    }
    account.balance -= units;
    account_store(state, key, &account);
    return true;
}

static Pot__HashList *list_load(const struct state *state, struct state_key key)
{
    Pot__HashList *list = record_load(state, key, &pot__hash_list__descriptor);
    if (list == NULL) {
        list = pot_alloc(sizeof(*list));
        pot__hash_list__init(list);
    }
    return list;
}

size_t list_count(const struct state *state, struct state_key key)
{
    Pot__HashList *list = list_load(state, key);
    size_t count = list->n_hashes;
    codec_free(list);
    return count;
}

/* An empty list leaves nothing behind. */
static void list_store(const struct state *state, struct state_key key,
                       Pot__HashList *list)
{
    if (list->n_hashes > 0) {
        record_store(state, key, list);
    } else {
        state->del(state->context, key.b, key.size);
    }
    codec_free(list);
}

static void list_put_at(Pot__HashList *list, size_t at,
                        const uint8_t value[static 32])
{
    list->hashes =
        pot_realloc(list->hashes, list->n_hashes + 1, sizeof(*list->hashes));
    memmove(&list->hashes[at + 1], &list->hashes[at],
            (list->n_hashes - at) * sizeof(*list->hashes));
    list->hashes[at] = codec_copy_bytes(value, 32);
    list->n_hashes++;
}

void list_append(const struct state *state, struct state_key key,
                 const uint8_t value[static 32])
{
    Pot__HashList *list = list_load(state, key);
    list_put_at(list, list->n_hashes, value);
    list_store(state, key, list);
}

void list_insert(const struct state *state, struct state_key key,
                 const uint8_t value[static 32])
{
    Pot__HashList *list = list_load(state, key);
    size_t at = 0;
    while (at < list->n_hashes &&
           memcmp(list->hashes[at].data, value, 32) < 0) {
        at++;
    }
    list_put_at(list, at, value);
    list_store(state, key, list);
}

void list_remove(const struct state *state, struct state_key key,
                 const uint8_t value[static 32])
{
    Pot__HashList *list = list_load(state, key);
    for (size_t i = 0; i < list->n_hashes; i++) {
        if (memcmp(list->hashes[i].data, value, 32) == 0) {
            free(list->hashes[i].data);
            memmove(&list->hashes[i], &list->hashes[i + 1],
                    (list->n_hashes - i - 1) * sizeof(*list->hashes));
            list->n_hashes--;
            break;
        }
    }
    list_store(state, key, list);
}

static uint64_t held_count(const struct state *state, struct state_key key)
{
    struct buf value;
    struct bytes_reader r;
    buf_init(&value, sizeof(uint64_t));
    uint64_t count = 0;
    if (state->get(state->context, key.b, key.size, &value)) {
        bytes_reader_init(&r, value.data, value.size);
        count = bytes_read_u64(&r);
        POT_ASSERT(bytes_is_done(&r) && count > 0);
    }
    buf_fini(&value);
    return count;
}

static void held_set(const struct state *state, struct state_key key,
                     uint64_t count)
{
    uint8_t bytes[8];
    struct bytes_writer w;
    bytes_writer_init(&w, bytes, sizeof(bytes));
    bytes_write_u64(&w, count);
    state->put(state->context, key.b, key.size, bytes, sizeof(bytes));
}

void held_put(const struct ledger_env *env, struct hash *hash, const void *data,
              size_t size)
{
    blob_hash(hash, data, size);
    held_put_named(env, hash, data, size);
}

void held_put_named(const struct ledger_env *env, const struct hash *hash,
                    const void *data, size_t size)
{
    struct state_key key = keys_blob(hash);
    uint64_t count = held_count(&env->state, key);
    held_set(&env->state, key, count + 1);
    if (count == 0) {
        env->blobs.put(env->blobs.context, hash, data, size);
    }
}

void held_drop(const struct ledger_env *env, const struct hash *hash)
{
    struct state_key key = keys_blob(hash);
    uint64_t count = held_count(&env->state, key);
    POT_ASSERT(count > 0);
    if (count > 1) {
        held_set(&env->state, key, count - 1);
        return;
    }
    env->state.del(env->state.context, key.b, key.size);
    env->blobs.del(env->blobs.context, hash);
}

/* ---- reading for the outside */

Pot__TaskRecord *ledger_task(const struct state *state, const struct hash *task)
{
    return record_load(state, keys_task(task), &pot__task_record__descriptor);
}

Pot__DatasetRecord *ledger_dataset(const struct state *state,
                                   const struct hash *address)
{
    return record_load(state, keys_dataset(address),
                       &pot__dataset_record__descriptor);
}

Pot__HashList *ledger_running(const struct state *state)
{
    return list_load(state, keys_running());
}

Pot__HashList *ledger_stakers(const struct state *state, Pot__StakeRole role)
{
    POT_ASSERT(role != POT__STAKE_ROLE__STAKE_NONE);
    return list_load(state, role == POT__STAKE_ROLE__STAKE_VALIDATOR
                                ? keys_stakers_validator()
                                : keys_stakers_miner());
}

Pot__SupplyRecord *ledger_supply(const struct state *state)
{
    Pot__SupplyRecord *supply =
        record_load(state, keys_supply(), &pot__supply_record__descriptor);
    POT_ASSERT(supply != NULL && supply->params != NULL);
    return supply;
}

void hash_store(const struct state *state, struct state_key key,
                const struct hash *hash)
{
    state->put(state->context, key.b, key.size, hash->b, HASH_SIZE);
}

static bool hash_load(const struct state *state, struct state_key key,
                      struct hash *out)
{
    struct buf value;
    buf_init(&value, HASH_SIZE);
    bool is_there = state->get(state->context, key.b, key.size, &value);
    if (is_there) {
        enum pot_err err = hash_from_bytes(out, value.data, value.size);
        POT_ASSERT(err == POT_OK);
    }
    buf_fini(&value);
    return is_there;
}

bool ledger_task_number(const struct state *state, uint64_t number,
                        struct hash *task)
{
    return hash_load(state, keys_task_number(number), task);
}

void ledger_validators(const struct state *state, struct validator_set *out)
{
    struct buf value;
    struct state_key key = keys_validators();
    buf_init(&value, RECORD_BYTES_MAX);
    bool is_there = state->get(state->context, key.b, key.size, &value);
    POT_ASSERT(is_there);
    enum pot_err err = validator_set_decode(out, value.data, value.size);
    POT_ASSERT(err == POT_OK);
    buf_fini(&value);
}
