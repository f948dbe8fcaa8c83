#include "config.h"

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
    record.height = run->height;
    record_store(state, keys_dataset(address), &record);

    Pot__SupplyRecord *supply = ledger_supply(state);
    struct state_key number = keys_dataset_number(supply->datasets);
    state->put(state->context, number.b, number.size, address->b, HASH_SIZE);
    supply->datasets++;
    record_store(state, keys_supply(), supply);
    codec_free(supply);
}

enum tx_verdict tx_publish_dataset(const struct tx_run *run,
                                   const Pot__TxBody *body)
{
    Pot__PublishDataset *dataset = body->publish_dataset;
    struct hash address;
    if (!codec_hash(&address, dataset->dataset)) {
        return TX_MALFORMED;
    }
    if (!spec_is_dataset(dataset)) {
        return TX_DATASET_MALFORMED;
    }
    Pot__DatasetRecord *known = ledger_dataset(&run->env->state, &address);
    if (known != NULL) {
        codec_free(known);
        return TX_DATASET_KNOWN;
    }
    store_dataset(run, dataset, &address);
    return TX_ACCEPTED;
}
