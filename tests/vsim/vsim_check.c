#include "config.h"

#include "tests/vsim/vsim_check.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/map.h"
#include "ledger/ledger.h"
#include "node/block/chain.h"
#include "node/block/validator_sets.h"
#include "node/hold/stored.h"
#include "node/node_parts.h"
#include "proto/codec.h"
#include "proto/consensus.pb-c.h"
#include "proto/signed.h"
#include "proto/vote.h"
#include "storage/sign_state.h"
#include "storage/store.h"
#include "storage/store_prune.h"
#include "tests/vsim/vsim_words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define HEIGHTS_MAX   4096
#define VERIFY_CHANCE 100 /* permille of the lives */

struct place {
    struct hash tx;
    uint64_t height;
    uint32_t index;
};

static struct hash blocks[HEIGHTS_MAX + 1];
static uint64_t height_max;
static uint64_t height_added_up;
static struct map places; /* of a transaction: struct place */
static struct place *acknowledged;
static size_t acknowledged_count;
static struct public_key accounts[VSIM_ACCOUNTS];
static size_t account_count;

void vsim_check_init(void)
{
    memset(blocks, 0, sizeof(blocks));
    height_max = 0;
    height_added_up = 0;
    places = (struct map){0};
    acknowledged = NULL;
    acknowledged_count = 0;
    account_count = 0;
    vsim_words_init();
}

void vsim_check_fini(void)
{
    map_fini_free(&places);
    free(acknowledged);
    vsim_words_fini();
}

void vsim_check_account(const struct public_key *key)
{
    POT_ASSERT(account_count < VSIM_ACCOUNTS);
    accounts[account_count++] = *key;
}

uint64_t vsim_check_height(void)
{
    return height_max;
}

/* ---- blocks */

/* Apart from certificate_verify, and as plain as can be: who signed? */
static uint32_t count_signers(const struct holdings *holdings,
                              const struct validator_set *set, uint64_t height,
                              const Pot__CommitCertificate *certificate)
{
    uint32_t count = 0;
    for (uint32_t replica = 0; replica < set->count; replica++) {
        struct vote vote = {.phase = POT__PHASE__PHASE_COMMIT,
                            .height = height,
                            .view = certificate->view,
                            .digest = blocks[height]};
        bool has_signed = false;
        for (size_t i = 0; i < certificate->n_signatures; i++) {
            struct signature signature;
            has_signed |=
                certificate->signatures[i]->replica == replica &&
                codec_signature(&signature,
                                certificate->signatures[i]->signature) &&
                vote_verify_key(&set->keys[replica], &holdings->chain, &vote,
                                &signature);
        }
        count += has_signed;
    }
    return count;
}

static void check_certificate(const struct vsim_node *node, uint64_t height)
{
    struct validator_set set;
    const struct holdings *holdings = &node->node->holdings;
    Pot__CommitCertificate *certificate = NULL;
    if (validator_sets_at(holdings, height, &set) != POT_OK ||
        stored_certificate(&certificate, holdings->store, height) != POT_OK) {
        vsim_fail("node %" PRIu32 " has no certificate of height %" PRIu64,
                  node->index, height);
        return;
    }
    uint32_t n = set.count;
    uint32_t signers = count_signers(holdings, &set, height, certificate);
    if (2 * signers < n + (n - 1) / 3 + 1) {
        vsim_fail("node %" PRIu32 " holds a certificate of height %" PRIu64
                  " that %" PRIu32 " of %" PRIu32 " signed",
                  node->index, height, signers, n);
    }
    if (certificate->view > 0) {
        vsim_mark(MARK_LATER_VIEW);
    }
    codec_free(certificate);
}

static void note_tx(const Pot__Signed *tx, uint64_t height, uint32_t index)
{
    struct place *place = pot_calloc(1, sizeof(*place));
    signed_hash(&place->tx, SIGNED_TX, tx);
    place->height = height;
    place->index = index;
    struct place *before = map_put(&places, place->tx.b, place);
    if (before != NULL) {
        vsim_fail("a transaction stands in block %" PRIu64
                  " and in block %" PRIu64,
                  before->height, height);
        free(before);
    }
}

/* The first node that has a block of this height. */
static void note_block(const struct block *block, uint64_t height)
{
    blocks[height] = block->hash;
    height_max = height;
    for (size_t i = 0; i < block->body->n_txs; i++) {
        note_tx(block->body->txs[i], height, (uint32_t)i);
    }
    if (height > 1 && !codec_bytes_equal(block->header->parent_hash,
                                         blocks[height - 1].b, HASH_SIZE)) {
        vsim_fail("block %" PRIu64 " stands on another one than %" PRIu64,
                  height, height - 1);
    }
    vsim_mark(MARK_BLOCK);
}

/* Below the snapshot that it began with, a node has headers. */
static void check_header(const struct vsim_node *node, uint64_t height)
{
    struct hash hash;
    Pot__BlockHeader *header = NULL;
    if (height > height_max ||
        stored_header(&header, &hash, node->node->holdings.store, height) !=
            POT_OK ||
        !hash_equal(&blocks[height], &hash)) {
        vsim_fail("no agreement: node %" PRIu32
                  " has another header at height %" PRIu64,
                  node->index, height);
    }
    codec_free(header);
    vsim_mark(MARK_LEAP);
}

static void check_block(struct vsim_node *node, uint64_t height)
{
    struct block *block = NULL;
    struct store *store = node->node->holdings.store;
    if (height > 0 && height < store_lowest_block(store)) {
        check_header(node, height);
        check_certificate(node, height);
        return;
    }
    if (height > HEIGHTS_MAX || stored_block(&block, store, height) != POT_OK) {
        vsim_fail("node %" PRIu32 " cannot read its block %" PRIu64,
                  node->index, height);
        return;
    }
    if (height == height_max + 1) {
        note_block(block, height);
    }
    if (!hash_equal(&blocks[height], &block->hash)) {
        vsim_fail("no agreement: node %" PRIu32
                  " has another block at height %" PRIu64,
                  node->index, height);
    }
    block_free(block);
    check_certificate(node, height);
}

/* ---- the state at the tip */

static uint64_t units_of(const struct account *account)
{
    uint64_t sum =
        account->balance + account->stake_validator + account->stake_miner;
    for (size_t i = 0; i < account->unbonding_count; i++) {
        sum += account->unbonding[i].amount;
    }
    return sum;
}

static void check_supply(const struct vsim_node *node, uint64_t height)
{
    const struct state state = stored_state(node->node->holdings.store);
    uint64_t sum = 0;
    if (height <= height_added_up) {
        return;
    }
    height_added_up = height;
    for (size_t i = 0; i < account_count; i++) {
        struct account account;
        (void)ledger_account(&state, &accounts[i], &account);
        sum += units_of(&account);
        if (account.slashed > 0) {
            vsim_fail("at height %" PRIu64 " an honest account was punished",
                      height);
        }
    }
    Pot__SupplyRecord *supply = ledger_supply(&state);
    if (supply->supply != sum) {
        vsim_fail("at height %" PRIu64 " accounts hold %" PRIu64
                  " units of a supply of %" PRIu64,
                  height, sum, supply->supply);
    }
    codec_free(supply);
}

void vsim_check_start(struct vsim_node *node)
{
    size_t size;
    Pot__PbftRecord *record;
    uint64_t height = chain_tip(node->node->chain)->height;
    const void *data = sign_state_record(node->node->sign_state, &size);
    enum pot_err err = CODEC_DECODE(&record, pot__pbft_record, data, size);
    POT_ASSERT(err == POT_OK);
    if (node->is_amnesic) { /* until it writes a later one */
        node->lost_height = record->height;
    }
    if (record->height > height + 1 && record->height > node->lost_height) {
        vsim_fail("node %" PRIu32 " starts at height %" PRIu64
                  ", and its sign state is of %" PRIu64,
                  node->index, height, record->height);
    }
    if (height < node->height) {
        vsim_mark(MARK_LOWER);
        node->height = height;
    }
    if (record->n_decided > 0 && record->height == height + 1) {
        vsim_mark(MARK_DECIDED);
    }
    codec_free(record);
}

/* LMDB reads nothing any more once it could not write, until it is cured. */
static bool can_read(const struct vsim_node *node)
{
    return store_health(node->node->holdings.store) != STORE_FAILED;
}

void vsim_check_node(struct vsim_node *node)
{
    uint64_t height = chain_tip(node->node->chain)->height;
    if (height == node->height || !can_read(node)) {
        return;
    }
    if (height < node->height && !node->is_amnesic) {
        vsim_fail("node %" PRIu32 " had block %" PRIu64
                  " and is at height %" PRIu64,
                  node->index, node->height, height);
        return;
    }
    for (uint64_t h = node->height + 1; h <= height && !vsim.is_failed; h++) {
        vsim_say(node->index, "has block %" PRIu64, h);
        check_block(node, h);
    }
    node->height = height;
    if (!vsim.is_failed) {
        check_supply(node, height);
    }
}

/* ---- transactions */

static bool is_there(struct store *store, const struct place *place)
{
    uint64_t height = 0;
    uint32_t index = 0;
    return store_find_tx(store, &place->tx, &height, &index) == POT_OK &&
           height == place->height && index == place->index;
}

bool vsim_check_stands(const struct hash *tx)
{
    return map_get(&places, tx->b) != NULL;
}

void vsim_check_acknowledged(const struct hash *tx, uint64_t height,
                             uint32_t index)
{
    const struct place told = {*tx, height, index};
    const struct place *place = map_get(&places, tx->b);
    /* The store may know of a block before the loop does. */
    if (height <= height_max &&
        (place == NULL || place->height != height || place->index != index)) {
        vsim_fail("a client is told of block %" PRIu64
                  ", which does not hold its transaction",
                  height);
        return;
    }
    acknowledged = pot_realloc(acknowledged, acknowledged_count + 1,
                               sizeof(*acknowledged));
    acknowledged[acknowledged_count++] = told;
    vsim_mark(MARK_TX);
}

static void verify(const struct vsim_node *node)
{
    struct store_report report;
    if (store_verify(node->node->holdings.store, &report, NULL, NULL) !=
        POT_OK) {
        vsim_fail("node %" PRIu32 ": its store is damaged: %s", node->index,
                  report.problem_count > 0 ? report.problems[0].what : "?");
    }
    vsim_mark(MARK_VERIFIED);
}

void vsim_check_end(void)
{
    bool is_thorough = vsim_chance(VERIFY_CHANCE);
    for (uint32_t n = 0; n < vsim.node_count; n++) {
        const struct vsim_node *node = &vsim.nodes[n];
        for (size_t i = 0; !node->is_rotten && i < acknowledged_count; i++) {
            if (acknowledged[i].height <= node->height &&
                acknowledged[i].height >=
                    store_lowest_block(node->node->holdings.store) &&
                !is_there(node->node->holdings.store, &acknowledged[i])) {
                vsim_fail("node %" PRIu32 " does not find a transaction that a"
                          " client was told of: block %" PRIu64,
                          n, acknowledged[i].height);
            }
        }
        if (is_thorough && !node->is_rotten) {
            verify(node);
        }
    }
}
