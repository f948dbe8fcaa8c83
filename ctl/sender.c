#include "config.h"

#include "ctl/sender.h"

#include "base/check.h"
#include "ctl/client.h"
#include "ctl/tx_reply.h"
#include "ctl/waiting.h"
#include "proto/codec.h"
#include "proto/fee.h"
#include "proto/genesis.h"
#include "proto/genesis_params.h"
#include "proto/signed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLL_MS 200
#define POLL_FAILURES_MAX                                                      \
    25 /* in a row: a node that restarts is waited for                         \
        */

static void read_params(Pot__GenesisParams *out, const json_t *json)
{
    pot__genesis_params__init(out);
    for (size_t i = 0; i < GENESIS_PARAM_COUNT; i++) {
        const struct genesis_param *param = &genesis_params[i];
        bool is_text = json_is_string(json_object_get(json, param->key));
        genesis_param_set(out, param,
                          is_text ? client_units(json, param->key)
                                  : client_count(json, param->key));
    }
}

/* An account that the chain has never seen is empty. */
static enum exit_code read_account(struct sender *sender)
{
    char path[128];
    struct client_reply reply;
    (void)snprintf(path, sizeof(path), "/v1/accounts/%s", sender->address);
    enum exit_code rc = client_ask(&reply, sender->ctl, "GET", path, NULL, 0);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    if (reply.status == 200) {
        bool has_next = json_object_get(reply.json, "next_nonce") != NULL;
        sender->nonce =
            client_count(reply.json, has_next ? "next_nonce" : "nonce");
        sender->balance = client_units(reply.json, "balance");
        sender->stake_validator = client_units(reply.json, "stake_validator");
        sender->stake_miner = client_units(reply.json, "stake_miner");
    } else if (reply.status != 404) {
        rc = client_refused(sender->ctl, &reply, "account");
    }
    client_reply_fini(&reply);
    return rc;
}

static enum exit_code read_height(struct sender *sender)
{
    json_t *json;
    enum exit_code rc = client_get(&json, sender->ctl, "/v1/status");
    if (rc == EXIT_CODE_DONE) {
        sender->expiry_height =
            client_count(json, "height") + SENDER_EXPIRY_BLOCKS;
        json_decref(json);
    }
    return rc;
}

/* The chain and its rules, and the account that address names, if it does. */
static enum exit_code ask(struct sender *sender)
{
    json_t *json;
    enum exit_code rc = client_get(&json, sender->ctl, "/v1/params");
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    chain_id_hash(&sender->chain, client_text(json, "chain_id"));
    read_params(&sender->params, json);
    json_decref(json);
    rc = read_height(sender);
    return rc == EXIT_CODE_DONE && sender->address[0] != '\0'
               ? read_account(sender)
               : rc;
}

enum exit_code sender_init(struct sender *sender, struct ctl *ctl)
{
    *sender = (struct sender){.ctl = ctl};
    enum exit_code rc = ctl_load_key(ctl, &sender->key);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    (void)address_format(key_public(sender->key), sender->address);
    return ask(sender);
}

enum exit_code sender_look(struct sender *sender, struct ctl *ctl)
{
    bool is_encrypted;
    enum exit_code rc = EXIT_CODE_DONE;
    *sender = (struct sender){.ctl = ctl};
    if (ctl->key_path != NULL) {
        rc = ctl_own_address(sender->address, &is_encrypted, ctl);
    }
    return rc == EXIT_CODE_DONE ? ask(sender) : rc;
}

void sender_fini(struct sender *sender)
{
    key_free(sender->key);
    sender->key = NULL;
}

void sender_prepare(struct sender *sender, Pot__TxBody *body)
{
    body->chain_id = codec_bytes(sender->chain.b, HASH_SIZE);
    body->nonce = sender->nonce;
    body->expiry_height = sender->expiry_height;
    body->fee = fee_estimate(&sender->params, body).units;
}

static enum exit_code check_balance(const struct sender *sender,
                                    const Pot__TxBody *body, uint64_t spent)
{
    struct amount need;
    char has_text[AMOUNT_TEXT_SIZE];
    char need_text[AMOUNT_TEXT_SIZE];
    if (!amount_add(&need, (struct amount){body->fee},
                    (struct amount){spent})) {
        return ctl_fail(sender->ctl, EXIT_CODE_REJECTED,
                        "the amount and the fee exceed all money there is");
    }
    if (need.units <= sender->balance) {
        return EXIT_CODE_DONE;
    }
    return ctl_fail(
        sender->ctl, EXIT_CODE_REJECTED,
        "%s holds %s POT, but %s POT are needed, the fee included; use another"
        " --key or a smaller amount",
        sender->address,
        amount_format((struct amount){sender->balance}, has_text),
        amount_format(need, need_text));
}

/* The same bytes of the same key: two commands asked for the next nonce at
 * once, and one of them has nothing more to do. */
static enum exit_code fail_known(const struct sender *sender,
                                 const struct hash *tx)
{
    char text[HASH_TEXT_SIZE];
    return ctl_fail(sender->ctl, EXIT_CODE_REJECTED,
                    "another command of this key has sent this very"
                    " transaction, %s: nothing was sent twice; if it is meant"
                    " twice, run this one again",
                    hash_format(tx, text));
}

enum exit_code sender_send(struct hash *out_tx, struct sender *sender,
                           Pot__TxBody *body, uint64_t spent)
{
    size_t size;
    struct client_reply reply;
    /* Afresh: an upload may have taken many blocks. */
    enum exit_code rc = read_height(sender);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    sender_prepare(sender, body);
    rc = check_balance(sender, body, spent);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    Pot__Signed *tx = signed_make(SIGNED_TX, &sender->chain, sender->key, body);
    signed_hash(out_tx, SIGNED_TX, tx);
    uint8_t *data = codec_encode(&size, tx);
    codec_free(tx);
    rc = client_ask(&reply, sender->ctl, "POST", "/v1/txs", data, size);
    free(data);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    bool is_taken = reply.status == 200 || reply.status == 202;
    if (is_taken && json_is_true(json_object_get(reply.json, "known"))) {
        rc = fail_known(sender, out_tx);
    } else if (is_taken) {
        sender->nonce++;
        sender->balance -= body->fee + spent;
    } else {
        rc = client_refused(sender->ctl, &reply, "the transaction");
    }
    client_reply_fini(&reply);
    return rc;
}

/* One transaction, asked for until a block has it. */
struct poll {
    struct sender *sender;
    char path[128];
    uint64_t height;             /* of that block */
    char behind[TX_BEHIND_SIZE]; /* tx_behind, as told last */
};

/* Who waits in vain is told once; what is sent next takes the place. */
static void tell_behind(struct poll *poll, const json_t *reply)
{
    char behind[TX_BEHIND_SIZE];
    tx_behind(behind, reply);
    if (strcmp(behind, poll->behind) != 0) {
        memcpy(poll->behind, behind, sizeof(behind));
        if (behind[0] != '\0') {
            ctl_note(poll->sender->ctl,
                     "still waiting: %s; the account's next transaction takes"
                     " its place, and this one follows if that comes before"
                     " height %" PRIu64,
                     behind, poll->sender->expiry_height);
        }
    }
}

/* The node does not have it: no block will, once it has expired. */
static enum exit_code check_expiry(const struct poll *poll)
{
    json_t *status;
    const struct sender *sender = poll->sender;
    enum exit_code rc = client_get(&status, sender->ctl, "/v1/status");
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    if (client_count(status, "height") >= sender->expiry_height) {
        rc = ctl_fail(sender->ctl, EXIT_CODE_REJECTED,
                      "the transaction expired at height %" PRIu64
                      " without being committed%s%s; send it again",
                      sender->expiry_height,
                      poll->behind[0] == '\0' ? "" : ": ", poll->behind);
    }
    json_decref(status);
    return rc;
}

/* EXIT_CODE_DONE: height is set, or still 0 while the transaction waits. */
static enum exit_code poll_once(struct poll *poll)
{
    struct client_reply reply;
    struct ctl *ctl = poll->sender->ctl;
    enum exit_code rc = client_ask(&reply, ctl, "GET", poll->path, NULL, 0);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    if (reply.status == 200) {
        poll->height = client_count(reply.json, "height");
    } else if (reply.status == 202) {
        tell_behind(poll, reply.json);
    } else if (reply.status == 404 || reply.status == 410) {
        rc = check_expiry(poll);
        if (rc == EXIT_CODE_DONE && reply.status == 410) {
            rc = tx_dropped(ctl, &reply, poll->behind);
        }
    } else {
        rc = client_refused(ctl, &reply, poll->path);
    }
    client_reply_fini(&reply);
    return rc;
}

enum exit_code sender_wait(uint64_t *out_height, struct sender *sender,
                           const struct hash *tx)
{
    char text[HASH_TEXT_SIZE];
    struct waiting waiting = {0};
    struct poll poll = {.sender = sender};
    unsigned failures = 0;
    *out_height = 0;
    (void)snprintf(poll.path, sizeof(poll.path), "/v1/txs/%s",
                   hash_format(tx, text));
    for (;;) {
        enum exit_code rc = poll_once(&poll);
        if (rc == EXIT_CODE_DONE && poll.height > 0) {
            *out_height = poll.height;
            return EXIT_CODE_DONE;
        }
        failures = rc == EXIT_CODE_DONE ? 0 : failures + 1;
        bool may_pass = rc == EXIT_CODE_DONE || rc == EXIT_CODE_CONNECT ||
                        rc == EXIT_CODE_NOT_READY || rc == EXIT_CODE_TIMEOUT;
        if (!may_pass || failures > POLL_FAILURES_MAX) {
            return rc;
        }
        (void)waiting_tell(&waiting, sender->ctl, "");
        rc = ctl_pause(sender->ctl, POLL_MS, "the transaction's block");
        if (rc == EXIT_CODE_TIMEOUT) {
            return ctl_fail(sender->ctl, EXIT_CODE_TIMEOUT,
                            "no block took the transaction in time, but it"
                            " waits for one: do not send it again, look with"
                            " `potctl tx %s`",
                            text);
        }
        if (rc != EXIT_CODE_DONE) {
            return rc;
        }
    }
}

enum exit_code sender_carry_out(json_t **out, struct sender *sender,
                                Pot__TxBody *body, uint64_t spent)
{
    struct hash tx;
    char text[HASH_TEXT_SIZE];
    char fee[AMOUNT_TEXT_SIZE];
    uint64_t height = 0;
    *out = NULL;
    enum exit_code rc = sender_send(&tx, sender, body, spent);
    if (rc == EXIT_CODE_DONE) {
        ctl_note(sender->ctl, "fee: %s POT",
                 amount_format((struct amount){body->fee}, fee));
    }
    if (rc == EXIT_CODE_DONE && sender->ctl->is_waiting) {
        /* Who breaks off has to know what is on its way. */
        ctl_note(sender->ctl, "sent %s: waiting for its block",
                 hash_format(&tx, text));
        rc = sender_wait(&height, sender, &tx);
    }
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    *out = json_pack("{ss}", "tx", hash_format(&tx, text));
    POT_ASSERT(*out != NULL);
    if (height > 0) {
        (void)json_object_set_new(*out, "height",
                                  json_integer((json_int_t)height));
    }
    return EXIT_CODE_DONE;
}

void sender_tell(struct sender *sender, json_t *out)
{
    uint64_t height = client_count(out, "height");
    ctl_print(sender->ctl, "%s%s", client_text(out, "tx"),
              height > 0 ? "" : "\n");
    if (height > 0) {
        ctl_print(sender->ctl, " committed at height %" PRIu64 "\n", height);
    }
    ctl_print_json(sender->ctl, out);
}

enum exit_code sender_finish(struct sender *sender, Pot__TxBody *body,
                             uint64_t spent)
{
    json_t *out;
    enum exit_code rc = sender_carry_out(&out, sender, body, spent);
    if (rc == EXIT_CODE_DONE) {
        sender_tell(sender, out);
    }
    return rc;
}
