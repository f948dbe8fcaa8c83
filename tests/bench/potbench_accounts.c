#include "config.h"

#include "tests/bench/potbench_accounts.h"

#include "base/alloc.h"
#include "base/amount.h"
#include "base/check.h"
#include "ctl/client.h"
#include "proto/codec.h"
#include "proto/fee.h"
#include "proto/signed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUNDS   (1000 * AMOUNT_UNITS_PER_POT)
#define POLL_MS 100

static void sign_transfer(struct potbench_tx *out,
                          const struct potbench_accounts *accounts,
                          const struct key *from, const struct key *to,
                          uint64_t nonce, uint64_t amount)
{
    Pot__Transfer transfer = POT__TRANSFER__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    const struct sender *sender = &accounts->sender;
    transfer.to = codec_bytes(key_public(to)->b, PUBLIC_KEY_SIZE);
    transfer.amount = amount;
    body.action_case = POT__TX_BODY__ACTION_TRANSFER;
    body.transfer = &transfer;
    body.chain_id = codec_bytes(sender->chain.b, HASH_SIZE);
    body.nonce = nonce;
    body.fee = fee_estimate(&sender->params, &body).units;
    Pot__Signed *tx = signed_make(SIGNED_TX, &sender->chain, from, &body);
    signed_hash(&out->hash, SIGNED_TX, tx);
    out->data = codec_encode(&out->size, tx);
    codec_free(tx);
}

static enum exit_code fund(struct potbench_accounts *accounts, size_t index)
{
    struct potbench_tx tx;
    struct client_reply reply;
    struct sender *sender = &accounts->sender;
    sign_transfer(&tx, accounts, sender->key, accounts->items[index].key,
                  sender->nonce, accounts->funds);
    enum exit_code rc =
        client_ask(&reply, sender->ctl, "POST", "/v1/txs", tx.data, tx.size);
    free(tx.data);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    if (reply.status == 202) {
        sender->nonce++;
    } else {
        rc = client_refused(sender->ctl, &reply, "the funding");
    }
    client_reply_fini(&reply);
    return rc;
}

static enum exit_code wait_for_money(struct potbench_accounts *accounts)
{
    char path[128];
    char text[ADDRESS_TEXT_SIZE];
    struct potbench *bench = accounts->bench;
    uint64_t balance = 0;
    const struct key *last = accounts->items[accounts->count - 1].key;
    (void)snprintf(path, sizeof(path), "/v1/accounts/%s",
                   address_format(key_public(last), text));
    while (balance == 0) {
        json_t *json;
        enum exit_code rc = client_get(&json, &bench->ctl, "%s", path);
        if (rc != EXIT_CODE_DONE) {
            return rc;
        }
        balance = client_units(json, "balance");
        json_decref(json);
        rc = potbench_stopped(bench);
        if (rc == EXIT_CODE_DONE) {
            rc = ctl_pause(&bench->ctl, POLL_MS, "the accounts' funding");
        }
        if (rc != EXIT_CODE_DONE) {
            return rc;
        }
    }
    return EXIT_CODE_DONE;
}

enum exit_code potbench_accounts_fund(struct potbench_accounts *accounts,
                                      struct potbench *bench, const char *url,
                                      const char *key_path,
                                      struct key *const *keys, size_t count,
                                      uint64_t funds)
{
    POT_ASSERT(count > 0);
    *accounts = (struct potbench_accounts){
        .bench = bench, .funds = funds, .count = count};
    accounts->items = pot_calloc(count, sizeof(*accounts->items));
    bench->ctl.node = url;
    bench->ctl.key_path = key_path;
    enum exit_code rc = sender_init(&accounts->sender, &bench->ctl);
    for (size_t i = 0; i < count; i++) {
        accounts->items[i].key = keys[i];
    }
    for (size_t i = 0; rc == EXIT_CODE_DONE && i < count; i++) {
        rc = fund(accounts, i);
    }
    return rc == EXIT_CODE_DONE ? wait_for_money(accounts) : rc;
}

enum exit_code potbench_accounts_open(struct potbench_accounts *accounts,
                                      struct potbench *bench, const char *url,
                                      const char *key_path, size_t count)
{
    struct key **keys = pot_calloc(count, sizeof(*keys));
    for (size_t i = 0; i < count; i++) {
        keys[i] = key_generate();
    }
    enum exit_code rc = potbench_accounts_fund(accounts, bench, url, key_path,
                                               keys, count, FUNDS);
    free(keys);
    return rc;
}

void potbench_accounts_close(struct potbench_accounts *accounts)
{
    for (size_t i = 0; i < accounts->count; i++) {
        struct potbench_account *a = &accounts->items[i];
        for (size_t t = 0; t < a->count; t++) {
            free(a->txs[t].data);
        }
        free(a->txs);
        key_free(a->key);
    }
    free(accounts->items);
    sender_fini(&accounts->sender);
    *accounts = (struct potbench_accounts){0};
}

/* To the next account, one base unit: money goes round. */
static void sign_next(struct potbench_accounts *accounts, size_t index)
{
    struct potbench_account *a = &accounts->items[index];
    const struct potbench_account *to =
        &accounts->items[(index + 1) % accounts->count];
    if (a->count == a->capacity) {
        a->capacity = a->capacity == 0 ? 64 : 2 * a->capacity;
        a->txs = pot_realloc(a->txs, a->capacity, sizeof(*a->txs));
    }
    sign_transfer(&a->txs[a->count], accounts, a->key, to->key, a->count, 1);
    a->count++;
}

void potbench_accounts_sign(struct potbench_accounts *accounts, size_t count)
{
    for (size_t i = 0; i < accounts->count; i++) {
        while (accounts->items[i].count < count) {
            sign_next(accounts, i);
        }
    }
}

const struct potbench_tx *potbench_accounts_next(
    struct potbench_accounts *accounts, size_t index)
{
    struct potbench_account *a = &accounts->items[index];
    if (a->next == a->count) {
        sign_next(accounts, index);
    }
    return &a->txs[a->next];
}
