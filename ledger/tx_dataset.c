#include "config.h"

#include "base/check.h"
#include "ledger/record.h"
#include "ledger/tx_kind.h"
#include "proto/codec.h"
#include "proto/spec.h"

static void store_dataset(const struct tx_run *run,
                          Pot__PublishDataset *dataset,
                          const struct hash *address)
{
    const struct state *state = &run->env->state;
    Pot__DatasetRecord record = POT__DATASET_RECORD__INIT;
    record.dataset = dataset;
    record.owner = codec_bytes(run->sender.b, PUBLIC_KEY_SIZE);
    record.height = run->block->height;
    record_store(state, keys_dataset(address), &record);
    Pot__SupplyRecord *supply = ledger_supply(state);
    record_store_hash(state, keys_dataset_number(supply->datasets), address);
    supply->datasets++;
    record_store(state, keys_supply(), supply);
    codec_free(supply);
}

static enum tx_verdict check(const Pot__TxBody *body)
{
    if (body->publish_dataset->dataset.len != HASH_SIZE) {
        return TX_MALFORMED;
    }
    return spec_is_dataset(body->publish_dataset) ? TX_ACCEPTED
                                                  : TX_DATASET_MALFORMED;
}

static enum tx_verdict tx_publish_dataset(const struct tx_run *run,
                                          const Pot__TxBody *body)
{
    struct hash address;
    bool is_hash = codec_hash(&address, body->publish_dataset->dataset);
    POT_ASSERT(is_hash);
    Pot__DatasetRecord *known = ledger_dataset(&run->env->state, &address);
    if (known != NULL) {
        codec_free(known);
        return TX_DATASET_KNOWN;
    }
    store_dataset(run, body->publish_dataset, &address);
    return TX_ACCEPTED;
}

const struct tx_kind tx_kind_publish_dataset = {check, tx_publish_dataset};
