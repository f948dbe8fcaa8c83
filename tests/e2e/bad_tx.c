/* bad_tx: a transfer of one base unit as its bytes on standard output, right
 * but for one thing.
 *
 * bad_tx KEY_FILE CHAIN_ID NONCE KIND
 *
 * KIND: good, signature (wrong), chain (another), fee (too low), expired,
 * action (none), zero (amount), size (beyond the limit), garbage, trailing
 * (bytes behind it), unknown (a field nobody knows), ghost (publishes a data
 * set that nobody has) */
#include "config.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/key_file.h"
#include "base/limits.h"
#include "proto/codec.h"
#include "proto/dataset.h"
#include "proto/genesis.h"
#include "proto/signed.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FEE       UINT64_C(1000000000)
#define BYTES_MAX ((size_t)4 * TX_BYTES_MAX)

struct plan {
    const char *kind;
    struct key *key;
    struct hash chain;
    uint64_t nonce;
};

static bool is(const struct plan *plan, const char *kind)
{
    return strcmp(plan->kind, kind) == 0;
}

static Pot__Signed *make(const struct plan *plan)
{
    struct hash chain = plan->chain;
    Pot__Transfer transfer = POT__TRANSFER__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    if (is(plan, "chain")) {
        chain_id_hash(&chain, "another-chain");
    }
    transfer.to = codec_bytes(key_public(plan->key)->b, PUBLIC_KEY_SIZE);
    transfer.amount = is(plan, "zero") ? 0 : 1;
    body.chain_id = codec_bytes(chain.b, HASH_SIZE);
    body.nonce = plan->nonce;
    body.fee = is(plan, "fee") ? 1 : FEE;
    body.expiry_height = is(plan, "expired") ? 1 : 0;
    if (!is(plan, "action")) {
        body.action_case = POT__TX_BODY__ACTION_TRANSFER;
        body.transfer = &transfer;
    }
    Pot__PublishDataset ghost = POT__PUBLISH_DATASET__INIT;
    struct hash chunk = {{7}};
    struct hash address;
    char name[] = "ghost";
    ProtobufCBinaryData chunks[] = {codec_bytes(chunk.b, HASH_SIZE)};
    dataset_address(&address, &chunk, 1);
    ghost.dataset = codec_bytes(address.b, HASH_SIZE);
    ghost.size_bytes = 1000;
    ghost.chunks = chunks;
    ghost.n_chunks = 1;
    ghost.rows = 10;
    ghost.features = 2;
    ghost.classes = 2;
    ghost.name = name;
    if (is(plan, "ghost")) {
        body.action_case = POT__TX_BODY__ACTION_PUBLISH_DATASET;
        body.publish_dataset = &ghost;
    }
    return signed_make(SIGNED_TX, &chain, plan->key, &body);
}

static void spoil(const struct plan *plan, struct buf *data)
{
    static const uint8_t unknown[] = {0xf8, 0x07, 0x01}; /* field 127 */
    if (is(plan, "garbage")) {
        randombytes_buf(data->data, data->size);
    } else if (is(plan, "trailing")) {
        buf_append(data, "more", 4);
    } else if (is(plan, "unknown")) {
        buf_append(data, unknown, sizeof(unknown));
    } else if (is(plan, "size")) {
        size_t size = (size_t)TX_BYTES_MAX + 1 - data->size;
        uint8_t *more = buf_extend(data, size);
        POT_ASSERT(more != NULL);
        memset(more, 0, size);
    }
}

int main(int argc, char **argv)
{
    struct plan plan = {0};
    char why[KEY_FILE_WHY_SIZE];
    struct buf data;
    if (argc != 5 || sodium_init() < 0 ||
        key_file_load(&plan.key, argv[1], NULL, why) != POT_OK) {
        (void)fprintf(stderr, "usage: bad_tx KEY_FILE CHAIN_ID NONCE KIND\n");
        return 2;
    }
    chain_id_hash(&plan.chain, argv[2]);
    plan.nonce = strtoull(argv[3], NULL, 10);
    plan.kind = argv[4];
    Pot__Signed *tx = make(&plan);
    if (is(&plan, "signature")) {
        tx->signature.data[7] ^= 1;
    }
    buf_init(&data, BYTES_MAX);
    codec_append(&data, tx);
    spoil(&plan, &data);
    size_t written = fwrite(data.data, 1, data.size, stdout);
    int status = written == data.size && fflush(stdout) == 0 ? 0 : 1;
    buf_fini(&data);
    codec_free(tx);
    key_free(plan.key);
    return status;
}
