#include "config.h"

#include "node/block/block_needs.h"

#include "node/block/needs.h"
#include "node/block/round_blobs.h"
#include "proto/codec.h"
#include "proto/gradient.h"
#include "proto/signed.h"

/* What needs_add_blob takes. */
struct adder {
    struct needs *needs;
    struct wait *wait;
};

static bool add_payload(void *context, const struct hash *hash, uint64_t size)
{
    const struct adder *adder = context;
    size_t most = GRADIENT_BYTES_MAX(2);
    needs_add_blob(adder->needs, adder->wait, hash, size < most ? size : most,
                   0);
    return true;
}

static void add_round(struct needs *needs, struct wait *wait,
                      const Pot__RoundUpdate *update,
                      const struct part_source *source)
{
    struct adder adder = {needs, wait};
    (void)round_blobs_lone(update, source, add_payload, &adder);
    if (update->evaluation != NULL) {
        needs_add_test_set(needs, wait, update->task);
    }
}

/* Of a certified block, whose sizes are right. */
static void add_aggregate(struct needs *needs, struct wait *wait,
                          const Pot__RoundUpdate *update)
{
    struct hash hash;
    if (round_blobs_aggregate(update, &hash)) {
        needs_add_blob(needs, wait, &hash, update->aggregate_bytes, 0);
    }
}

static void add_publications(struct needs *needs, struct wait *wait,
                             const Pot__Block *body)
{
    for (size_t i = 0; i < body->n_txs; i++) {
        struct hash dataset;
        Pot__TxBody *tx =
            signed_tx_of(body->txs[i], POT__TX_BODY__ACTION_PUBLISH_DATASET);
        if (tx != NULL && codec_hash(&dataset, tx->publish_dataset->dataset)) {
            needs_add_dataset(needs, wait, &dataset, tx->publish_dataset);
        }
        codec_free(tx);
    }
}

void block_needs(struct needs *needs, const struct block *block,
                 bool is_certified, wait_done_fn *done, void *context)
{
    struct wait *wait = needs_begin(needs, done, context);
    const struct part_source source = needs_parts(needs);
    for (size_t i = 0; i < block->body->n_round_updates; i++) {
        const Pot__RoundUpdate *update = block->body->round_updates[i];
        if (is_certified) {
            add_aggregate(needs, wait, update);
        } else {
            add_round(needs, wait, update, &source);
        }
    }
    if (!is_certified) {
        add_publications(needs, wait, block->body);
    }
    wait_end(wait);
}
