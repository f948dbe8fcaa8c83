#include "config.h"

#include "node/block/block_check.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/cpu_time.h"
#include "base/log.h"
#include "ledger/ledger.h"
#include "node/block/chain_tip.h"
#include "node/block/executed.h"
#include "node/block/ledger_view.h"
#include "node/block/shared_block.h"
#include "node/block/validator_sets.h"
#include "node/hold/datasets.h"
#include "node/hold/holdings.h"
#include "node/hold/verified.h"
#include "proto/certificate.h"
#include "proto/codec.h"
#include "proto/signed.h"
#include "storage/overlay.h"

#include <stdio.h>
#include <stdlib.h>

/* One block under its check. */
struct check {
    const struct holdings *holdings;
    const struct chain_tip *parent;
    const struct shared_block *shared;
    struct overlay *overlay;
    struct ledger_env env;
    uint64_t now_ms;
    char *why;
};

static enum pot_err invalid(const struct check *c, const char *why)
{
    (void)snprintf(c->why, BLOCK_WHY_SIZE, "%s", why);
    return POT_EFORMAT;
}

/* The messages of a block whose signatures are asked for. */
struct asks {
    struct verified_ask *list;
    size_t count;
};

static void add_ask(struct asks *asks, const char *what,
                    const Pot__Signed *message, const struct hash *hash)
{
    struct verified_ask *ask = &asks->list[asks->count++];
    ask->what = what;
    ask->message = message;
    if (hash != NULL) {
        ask->hash = *hash;
    } else {
        signed_hash(&ask->hash, what, message);
    }
}

static void add_asks(struct asks *asks, const char *what,
                     Pot__Signed *const *messages, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        add_ask(asks, what, messages[i], NULL);
    }
}

static size_t count_signed(const Pot__Block *body)
{
    size_t count = body->n_txs;
    for (size_t i = 0; i < body->n_round_updates; i++) {
        const Pot__RoundUpdate *u = body->round_updates[i];
        count += u->n_submissions + u->n_refused + u->n_attestations;
    }
    return count;
}

/* So many at once; after a wrong one the rest is not asked for. */
#define ASKS_AT_ONCE 1024

static bool all_hold(struct verified *v, const struct asks *asks)
{
    bool hold = true;
    for (size_t at = 0; hold && at < asks->count; at += ASKS_AT_ONCE) {
        size_t left = asks->count - at;
        size_t count = left < ASKS_AT_ONCE ? left : ASKS_AT_ONCE;
        verified_check(v, asks->list + at, count);
        for (size_t i = at; i < at + count; i++) {
            hold = hold && asks->list[i].holds;
        }
    }
    return hold;
}

static bool signatures_hold(struct verified *v, const struct block *block)
{
    const Pot__Block *body = block->body;
    struct asks asks = {0};
    enum cpu_part before = cpu_time_enter(CPU_SIGNATURES);
    asks.list = pot_calloc(count_signed(body), sizeof(*asks.list));
    /* From the end: the intake may be at the same ones from the beginning, and
     * each is checked once. */
    for (size_t i = body->n_txs; i > 0; i--) {
        add_ask(&asks, SIGNED_TX, body->txs[i - 1], &block->txs[i - 1]);
    }
    for (size_t i = 0; i < body->n_round_updates; i++) {
        const Pot__RoundUpdate *u = body->round_updates[i];
        add_asks(&asks, SIGNED_SUBMISSION, u->submissions, u->n_submissions);
        add_asks(&asks, SIGNED_SUBMISSION, u->refused, u->n_refused);
        add_asks(&asks, SIGNED_ATTESTATION, u->attestations, u->n_attestations);
    }
    bool hold = all_hold(v, &asks);
    free(asks.list);
    (void)cpu_time_enter(before);
    return hold;
}

/* The parent's certificate in the body: present from height 2 on, for the
 * parent's hash, by a quorum of those who signed the parent. */
static enum pot_err check_last_commit(const struct check *c)
{
    struct validator_set set;
    const Pot__CommitCertificate *commits = c->shared->block->body->last_commit;
    if (c->parent->height == 0) {
        return commits == NULL
                   ? POT_OK
                   : invalid(c, "a certificate of the genesis is in it");
    }
    if (commits == NULL) {
        return invalid(c, "the parent's certificate is not in it");
    }
    enum pot_err err =
        validator_sets_read(c->holdings, &c->parent->signers, &set);
    const struct known_votes known = {verified_has_vote, c->holdings->verified};
    if (err == POT_OK &&
        certificate_proves_by(&set, &c->holdings->chain, commits,
                              c->parent->height, &c->parent->hash,
                              &known) != CERTIFICATE_VALID) {
        err = invalid(c, "the parent's certificate in it is wrong");
    }
    return err;
}

static bool time_holds(const struct check *c)
{
    uint64_t time_ms = c->shared->block->header->time_ms;
    Pot__SupplyRecord *supply = ledger_supply(&c->env.state);
    uint64_t ahead_max = supply->params->max_time_ahead_ms;
    codec_free(supply);
    return time_ms <= c->now_ms || time_ms - c->now_ms <= ahead_max;
}

/* What it publishes is held here, and is what it says. */
static enum pot_err check_publications(const struct check *c)
{
    const Pot__Block *body = c->shared->block->body;
    enum pot_err err = POT_OK;
    for (size_t i = 0; err == POT_OK && i < body->n_txs; i++) {
        Pot__TxBody *tx =
            signed_tx_of(body->txs[i], POT__TX_BODY__ACTION_PUBLISH_DATASET);
        if (tx != NULL) {
            err = datasets_check(c->holdings->datasets, tx->publish_dataset);
        }
        codec_free(tx);
    }
    if (err != POT_OK) {
        (void)invalid(c, err == POT_ENOENT
                             ? "a data set that it publishes is not held here"
                             : "a data set is not what it says of it");
    }
    return err;
}

/* What a certificate stands for, if there is one. */
static enum pot_err check_promises(const struct check *c)
{
    if (c->now_ms != 0 && !time_holds(c)) {
        return invalid(c, "its time is too far ahead");
    }
    enum pot_err err = check_last_commit(c);
    if (err == POT_OK &&
        !signatures_hold(c->holdings->verified, c->shared->block)) {
        err = invalid(c, "a signature in it is wrong");
    }
    return err == POT_OK ? check_publications(c) : err;
}

static bool is_lacking(enum block_verdict verdict, enum round_verdict round)
{
    return verdict == BLOCK_ROUND && (round == ROUND_PAYLOAD_MISSING ||
                                      round == ROUND_AGGREGATE_MISSING ||
                                      round == ROUND_PARAMETERS_MISSING ||
                                      round == ROUND_DATASET_MISSING);
}

static void say_why(const struct check *c, enum block_verdict verdict,
                    const struct ledger_fault *fault)
{
    if (verdict == BLOCK_ROUND) {
        (void)snprintf(c->why, BLOCK_WHY_SIZE,
                       "round update %zu is refused: %s", fault->index,
                       round_verdict_text(fault->round));
    } else if (verdict == BLOCK_TX) {
        (void)snprintf(c->why, BLOCK_WHY_SIZE, "transaction %zu is refused: %s",
                       fault->index, tx_verdict_text(fault->tx));
    } else if (verdict == BLOCK_EVIDENCE) {
        (void)snprintf(c->why, BLOCK_WHY_SIZE, "evidence %zu is refused: %s",
                       fault->index, evidence_verdict_text(fault->evidence));
    } else {
        (void)invalid(c, block_verdict_text(verdict));
    }
}

static void tell_roots(const struct block *block, const struct hash *own)
{
    char texts[3][HASH_TEXT_SIZE];
    struct hash theirs = {{0}};
    bool is_hash = codec_hash(&theirs, block->header->state_root);
    POT_ASSERT(is_hash); /* block_decode saw to it */
    LOG(LOG_ERROR, "consensus", "state roots differ",
        log_u64("height", block->header->height),
        log_text("block", hash_format(&block->hash, texts[0])),
        log_text("own_root", hash_format(own, texts[1])),
        log_text("its_root", hash_format(&theirs, texts[2])));
}

static enum pot_err check_execution(const struct check *c, bool is_certified)
{
    struct hash root;
    struct ledger_fault fault = {0};
    const struct block *block = c->shared->block;
    const struct block_parent from = {c->parent->height, c->parent->time_ms,
                                      c->parent->hash};
    const struct ledger_trust trust = {is_certified, true};
    enum block_verdict verdict =
        ledger_execute(&c->env, &from, block, c->shared->size, trust, &fault);
    /* A store that does not answer makes the ledger say anything. */
    enum pot_err err = overlay_error(c->overlay);
    if (err == POT_OK && verdict != BLOCK_ACCEPTED) {
        say_why(c, verdict, &fault);
        err = is_lacking(verdict, fault.round) ? POT_ENOENT : POT_EFORMAT;
    }
    if (err == POT_OK) {
        enum cpu_part before = cpu_time_enter(CPU_HASHING);
        err = overlay_root(c->overlay, &root);
        (void)cpu_time_enter(before);
    }
    if (err == POT_OK &&
        !codec_bytes_equal(block->header->state_root, root.b, HASH_SIZE)) {
        tell_roots(block, &root);
        err = invalid(c, "another state root");
    }
    return err;
}

enum pot_err block_check(struct executed **out, const struct holdings *holdings,
                         const struct chain_tip *parent,
                         struct shared_block *block, uint64_t now_ms,
                         bool is_certified, char why[static BLOCK_WHY_SIZE])
{
    struct executed *made = executed_new(holdings->store);
    struct ledger_view view = {holdings, made->overlay};
    const struct check c = {
        .holdings = holdings,
        .parent = parent,
        .shared = block,
        .overlay = made->overlay,
        .env = ledger_view_env(&view),
        .now_ms = now_ms,
        .why = why,
    };
    enum pot_err err = is_certified ? POT_OK : check_promises(&c);
    if (err == POT_OK) {
        err = check_execution(&c, is_certified);
    }
    if (err == POT_OK) {
        made->block = shared_block_ref(block);
    } else {
        if (err != POT_EFORMAT && err != POT_ENOENT) {
            (void)snprintf(why, BLOCK_WHY_SIZE, "the store: %s", err_text(err));
        }
        executed_free(made);
        made = NULL;
    }
    *out = made;
    return err;
}
