#include "config.h"

#include "node/block/block_needs.h"

#include "base/limits.h"
#include "node/block/needs.h"
#include "proto/codec.h"

/* The largest gradient: two bytes a parameter, and its header. */
#define PAYLOAD_BYTES_MAX ((size_t)2 * PARAMETERS_MAX + 4096)

static void add_aggregate(struct needs *needs, struct wait *wait,
                          const Pot__RoundUpdate *update)
{
    struct hash hash;
    if (update->n_submissions > 0 &&
        codec_hash(&hash, update->aggregate_hash)) {
        needs_add_blob(needs, wait, &hash, update->aggregate_bytes, 0);
    }
}

static void add_payloads(struct needs *needs, struct wait *wait,
                         const Pot__RoundUpdate *update)
{
    for (size_t i = 0; i < update->n_submissions; i++) {
        Pot__SubmissionBody *body = NULL;
        struct hash hash;
        const Pot__Signed *message = update->submissions[i];
        if (CODEC_DECODE(&body, pot__submission_body, message->body.data,
                         message->body.len) == POT_OK &&
            codec_hash(&hash, body->payload_hash)) {
            needs_add_blob(needs, wait, &hash, PAYLOAD_BYTES_MAX, 0);
        }
        codec_free(body);
    }
}

static void add_publications(struct needs *needs, struct wait *wait,
                             const Pot__Block *body)
{
    for (size_t i = 0; i < body->n_txs; i++) {
        Pot__TxBody *tx = NULL;
        struct hash dataset;
        if (CODEC_DECODE(&tx, pot__tx_body, body->txs[i]->body.data,
                         body->txs[i]->body.len) == POT_OK &&
            tx->action_case == POT__TX_BODY__ACTION_PUBLISH_DATASET &&
            codec_hash(&dataset, tx->publish_dataset->dataset)) {
            needs_add_dataset(needs, wait, &dataset, tx->publish_dataset);
        }
        codec_free(tx);
    }
}

void block_needs(struct needs *needs, const struct block *block,
                 bool is_certified, wait_done_fn *done, void *context)
{
    struct wait *wait = needs_begin(needs, &block->hash, done, context);
    for (size_t i = 0; i < block->body->n_round_updates; i++) {
        const Pot__RoundUpdate *update = block->body->round_updates[i];
        if (is_certified) {
            add_aggregate(needs, wait, update);
        } else {
            add_payloads(needs, wait, update);
            if (update->evaluation != NULL) {
                needs_add_test_set(needs, wait, update->task);
            }
        }
    }
    if (!is_certified) {
        add_publications(needs, wait, block->body);
    }
    wait_end(wait);
}
