#include "config.h"

#include "tests/vsim/vsim_client.h"

#include "base/check.h"
#include "ledger/ledger.h"
#include "node/hold/stored.h"
#include "node/node_parts.h"
#include "node/tx/intake.h"
#include "proto/codec.h"
#include "proto/genesis.h"
#include "proto/signed.h"
#include "storage/store.h"
#include "storage/store_prune.h"
#include "tests/vsim/vsim_check.h"
#include "tests/vsim/vsim_node.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ASK_US        400000
#define RESEND_US     3000000
#define MEMBER_US     2000000
#define FEE           UINT64_C(10000000)
#define AMOUNT_MAX    1000000
#define MEMBERS_MIN   2
#define REPLAY_CHANCE 100 /* permille of the turns */

struct client {
    struct key *key;
    bool is_member; /* its transactions are stakes and withdrawals */
    uint64_t nonce;
    uint8_t *tx; /* NULL: nothing is under way */
    size_t size;
    struct hash hash;
    uint64_t sent_us;
    uint8_t *settled; /* the last one that stands; NULL: none */
    size_t settled_size;
    bool is_staked; /* once its transaction stands */
};

static struct client clients[VSIM_ACCOUNTS];
static uint32_t client_count;
static uint32_t staked_count;

/* ---- transactions */

static void sign(struct client *client, Pot__TxBody *body)
{
    struct hash chain;
    chain_id_hash(&chain, "pot-vsim");
    body->chain_id = codec_bytes(chain.b, HASH_SIZE);
    body->nonce = client->nonce;
    body->fee = FEE;
    Pot__Signed *message = signed_make(SIGNED_TX, &chain, client->key, body);
    signed_hash(&client->hash, SIGNED_TX, message);
    client->tx = codec_encode(&client->size, message);
    codec_free(message);
}

static void make_transfer(struct client *client)
{
    Pot__Transfer transfer = POT__TRANSFER__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    const struct client *to = &clients[vsim_below(client_count)];
    transfer.to = codec_bytes(key_public(to->key)->b, PUBLIC_KEY_SIZE);
    transfer.amount = 1 + vsim_below(AMOUNT_MAX);
    body.action_case = POT__TX_BODY__ACTION_TRANSFER;
    body.transfer = &transfer;
    sign(client, &body);
}

static void make_stake(struct client *client)
{
    Pot__Stake stake = POT__STAKE__INIT;
    Pot__Unstake unstake = POT__UNSTAKE__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    if (client->is_staked) {
        unstake.role = POT__STAKE_ROLE__STAKE_VALIDATOR;
        unstake.amount = VSIM_STAKE;
        body.action_case = POT__TX_BODY__ACTION_UNSTAKE;
        body.unstake = &unstake;
    } else {
        stake.role = POT__STAKE_ROLE__STAKE_VALIDATOR;
        stake.amount = VSIM_STAKE;
        body.action_case = POT__TX_BODY__ACTION_STAKE;
        body.stake = &stake;
    }
    sign(client, &body);
}

/* So many stay that one of them may go. */
static bool begin(struct client *client)
{
    if (!client->is_member) {
        make_transfer(client);
        return true;
    }
    if (!vsim_has(FAULT_MEMBERS) ||
        (client->is_staked && staked_count <= MEMBERS_MIN)) {
        return false;
    }
    if (client->is_staked) {
        staked_count--;
    }
    make_stake(client);
    return true;
}

static void settle(struct client *client)
{
    if (client->is_member) {
        client->is_staked = !client->is_staked;
        staked_count += client->is_staked;
        vsim_mark(MARK_STAKED);
    }
    free(client->settled);
    client->settled = client->tx;
    client->settled_size = client->size;
    client->tx = NULL;
    client->nonce++;
}

/* ---- with some node */

static struct vsim_node *some_node(void)
{
    struct vsim_node *node = &vsim.nodes[vsim_below(vsim.node_count)];
    bool is_there = node->node != NULL && node->node->is_open &&
                    !node->node->is_stopping && !node->disk.is_frozen &&
                    node->paused_until_us <= vsim.now_us;
    return is_there ? node : NULL;
}

static void on_receipt(void *context, const struct intake_receipt *receipt)
{
    const struct client *client = context;
    vsim_say(vsim.current, "is given a transaction of client %td: %s",
             client - clients, intake_text(receipt));
}

static bool give(struct client *client, const uint8_t *tx, size_t size)
{
    const struct vsim_node *node = some_node();
    if (node == NULL) {
        return false;
    }
    vsim.current = node->index;
    vsim.stepped = node->index;
    intake_submit(node->node->intake, tx, size, on_receipt, client);
    vsim.current = VSIM_NOBODY;
    return true;
}

static void submit(struct client *client)
{
    if (give(client, client->tx, client->size)) {
        client->sent_us = vsim.now_us;
    }
}

/* Nobody may take it a second time. */
static void replay(struct client *client)
{
    if (client->settled != NULL && vsim_chance(REPLAY_CHANCE) &&
        give(client, client->settled, client->settled_size)) {
        vsim_mark(MARK_REPLAYED);
    }
}

/* The nonce is used: then the transaction stands, and the node says where. */
static void ask(struct client *client)
{
    struct account account;
    uint64_t height = 0;
    uint32_t index = 0;
    const struct vsim_node *node = some_node();
    if (node == NULL || node->is_rotten) {
        return;
    }
    struct store *store = node->node->holdings.store;
    const struct state state = stored_state(store);
    (void)ledger_account(&state, key_public(client->key), &account);
    enum pot_err err = store_find_tx(store, &client->hash, &height, &index);
    if (err == POT_OK) {
        vsim_say(node->index,
                 "has the transaction of client %td in block"
                 " %" PRIu64,
                 client - clients, height);
        vsim_check_acknowledged(&client->hash, height, index);
        settle(client);
    } else if (account.nonce > client->nonce && store_lowest_block(store) > 1 &&
               vsim_check_stands(&client->hash)) {
        settle(client); /* its block is gone here; others had it */
    } else if (account.nonce > client->nonce) {
        vsim_fail("node %" PRIu32 " has used nonce %" PRIu64
                  " of client %td and does not find the transaction",
                  node->index, client->nonce, client - clients);
    }
}

static uint64_t next_us(const struct client *client)
{
    uint64_t us = client->is_member ? MEMBER_US : ASK_US;
    return us / 2 + vsim_below(us);
}

static void on_turn(struct vsim_event *event)
{
    struct client *client = event->context;
    if (client->tx != NULL) {
        ask(client);
    } else if (!vsim.is_healed && begin(client)) {
        submit(client);
    }
    if (client->tx != NULL && client->sent_us + RESEND_US < vsim.now_us) {
        vsim_mark(MARK_RESENT);
        submit(client);
    }
    replay(client);
    (void)vsim_schedule(VSIM_NOBODY, next_us(client), on_turn, client);
}

static void open_one(uint32_t key, bool is_member)
{
    struct client *client = &clients[client_count++];
    *client = (struct client){
        .key = vsim_node_key(key),
        .is_member = is_member,
        .is_staked = is_member && key < vsim.config.n,
    };
    staked_count += client->is_staked;
    (void)vsim_schedule(VSIM_NOBODY, next_us(client), on_turn, client);
}

void vsim_client_open_all(void)
{
    client_count = 0;
    staked_count = 0;
    for (uint32_t i = 0; i < VSIM_CLIENTS; i++) {
        open_one(VSIM_NODES_MAX + i, false);
    }
    for (uint32_t i = 0; i < vsim.node_count; i++) {
        open_one(i, true);
    }
}

void vsim_client_close_all(void)
{
    for (uint32_t i = 0; i < client_count; i++) {
        free(clients[i].tx);
        free(clients[i].settled);
    }
    client_count = 0;
}

bool vsim_client_is_settled(void)
{
    for (uint32_t i = 0; i < client_count; i++) {
        if (clients[i].tx != NULL) {
            return false;
        }
    }
    return true;
}
