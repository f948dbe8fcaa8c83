#include "config.h"

#include "tests/unit/chain_fixture.h"

#include "base/alloc.h"
#include "base/check.h"
#include "ledger/task.h"
#include "node/block/ledger_view.h"
#include "node/hold/blob_pool.h"
#include "node/hold/datasets.h"
#include "node/hold/verified.h"
#include "proto/codec.h"
#include "proto/dataset.h"
#include "proto/genesis.h"
#include "proto/signed.h"
#include "proto/vote.h"
#include "storage/overlay.h"
#include "storage/store.h"
#include "tests/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BALANCE UINT64_C(10000000000)
#define STAKE   UINT64_C(1000000)
#define FEE     UINT64_C(100000)

#define DATA_ROWS     10
#define DATA_FEATURES 3
#define DATA_CLASSES  2

static char chain_id[] = "pot-test";
static char moniker[] = "alice";
static Pot__GenesisParams params;
static Pot__GenesisAccount account;
static Pot__GenesisAccount *accounts[] = {&account};
static Pot__GenesisStake stake;
static Pot__GenesisStake *stakes[] = {&stake};

static void make_genesis(struct chain_fixture *f)
{
    pot__genesis_params__init(&params);
    params.min_validator_stake = STAKE;
    params.min_miner_stake = STAKE;
    params.epoch_blocks = 10;
    params.round_blocks_max = 4;
    params.empty_rounds_max = 2;
    params.fee_base = 100;
    params.fee_byte = 1;
    params.max_block_bytes = 1 << 20;
    params.max_time_ahead_ms = 1000;
    params.slash_equivocation_bps = 1000;
    params.finder_bps = 1000;
    params.evidence_blocks_max = 30;
    params.unbonding_blocks = 30;
    pot__genesis_account__init(&account);
    account.address = codec_bytes(key_public(f->client)->b, PUBLIC_KEY_SIZE);
    account.balance = BALANCE;
    pot__genesis_stake__init(&stake);
    stake.address = codec_bytes(key_public(f->validator)->b, PUBLIC_KEY_SIZE);
    stake.role = POT__STAKE_ROLE__STAKE_VALIDATOR;
    stake.amount = STAKE;
    stake.moniker = moniker;
    pot__genesis__init(&f->genesis);
    f->genesis.chain_id = chain_id;
    f->genesis.time_ms = 1000;
    f->genesis.params = &params;
    f->genesis.n_accounts = 1;
    f->genesis.accounts = accounts;
    f->genesis.n_stakes = 1;
    f->genesis.stakes = stakes;
}

static void on_applied(void *context, const struct shared_block *block)
{
    struct chain_fixture *f = context;
    POT_ASSERT(block->block->header->height == chain_tip(f->chain)->height);
    f->applied++;
}

static void open_chain(struct chain_fixture *f)
{
    char why[256];
    char *datasets = file_join(f->folder, "datasets");
    char *folder = file_join(f->folder, "store");
    enum pot_err err =
        store_open(&f->holdings.store, folder, STORE_MAP_MIN, why, sizeof(why));
    POT_ASSERT(err == POT_OK);
    err = datasets_open(&f->holdings.datasets, datasets, f->holdings.store);
    POT_ASSERT(err == POT_OK);
    err = chain_new(&f->chain, &f->loop, &f->holdings, &f->genesis, on_applied,
                    f);
    POT_ASSERT(err == POT_OK);
    free(datasets);
    free(folder);
}

static void close_chain(struct chain_fixture *f)
{
    chain_stop(f->chain);
    (void)uv_run(&f->loop, UV_RUN_DEFAULT);
    chain_free(f->chain);
    datasets_close(f->holdings.datasets);
    store_close(f->holdings.store);
}

void chain_fixture_open(struct chain_fixture *f)
{
    uint8_t seed[32] = {1};
    *f = (struct chain_fixture){.folder = scratch_folder()};
    f->validator = key_from_seed(seed);
    seed[0] = 2;
    f->client = key_from_seed(seed);
    int rc = uv_loop_init(&f->loop);
    POT_ASSERT(rc == 0);
    make_genesis(f);
    genesis_hash(&f->holdings.genesis_hash, &f->genesis);
    chain_id_hash(&f->holdings.chain, chain_id);
    f->holdings.pool = blob_pool_new(1 << 20);
    f->holdings.recent = blob_pool_new(1 << 20);
    f->holdings.verified = verified_new(&f->holdings.chain, 100);
    f->lacking = (struct hash){{7}};
    open_chain(f);
}

void chain_fixture_close(struct chain_fixture *f)
{
    shared_block_unref(f->proposed);
    close_chain(f);
    blob_pool_free(f->holdings.pool);
    blob_pool_free(f->holdings.recent);
    verified_free(f->holdings.verified);
    key_free(f->validator);
    key_free(f->client);
    int rc = uv_loop_close(&f->loop);
    POT_ASSERT(rc == 0);
    char *store = file_join(f->folder, "store");
    char *datasets = file_join(f->folder, "datasets");
    scratch_remove(store);
    scratch_remove(datasets);
    scratch_remove(f->folder);
}

void chain_fixture_restart(struct chain_fixture *f)
{
    close_chain(f);
    open_chain(f);
}

void chain_fixture_lose(struct chain_fixture *f)
{
    char *folder = file_join(f->folder, "store");
    close_chain(f);
    enum pot_err err = file_remove_folder(folder);
    POT_ASSERT(err == POT_OK);
    free(folder);
    open_chain(f);
}

Pot__Signed *chain_fixture_pay(const struct chain_fixture *f, uint64_t nonce,
                               uint64_t amount)
{
    Pot__Transfer transfer = POT__TRANSFER__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    transfer.to = codec_bytes(key_public(f->validator)->b, PUBLIC_KEY_SIZE);
    transfer.amount = amount;
    body.chain_id = codec_bytes(f->holdings.chain.b, HASH_SIZE);
    body.nonce = nonce;
    body.fee = FEE;
    body.action_case = POT__TX_BODY__ACTION_TRANSFER;
    body.transfer = &transfer;
    return signed_make(SIGNED_TX, &f->holdings.chain, f->client, &body);
}

/* ---- a data set */

struct data {
    uint8_t bytes[256];
    size_t size;
    struct hash chunk;
    struct hash address;
};

static const struct data *the_data(void)
{
    static struct data data;
    static const char *const names[DATA_CLASSES] = {"a", "b"};
    size_t header_size;
    uint8_t *header = dataset_header(&header_size, DATA_ROWS, DATA_FEATURES,
                                     DATA_CLASSES, DATASET_U8, 1, names);
    memcpy(data.bytes, header, header_size);
    data.size = header_size + DATA_ROWS * (DATA_FEATURES + sizeof(uint16_t));
    POT_ASSERT(data.size <= sizeof(data.bytes));
    free(header);
    dataset_chunk_hash(&data.chunk, data.bytes, data.size);
    dataset_address(&data.address, &data.chunk, 1);
    return &data;
}

void chain_fixture_describe(Pot__PublishDataset *out)
{
    static char name[] = "data";
    static ProtobufCBinaryData chunks[1];
    const struct data *data = the_data();
    chunks[0] = codec_bytes(data->chunk.b, HASH_SIZE);
    pot__publish_dataset__init(out);
    out->dataset = codec_bytes(data->address.b, HASH_SIZE);
    out->name = name;
    out->size_bytes = data->size;
    out->n_chunks = 1;
    out->chunks = chunks;
    out->rows = DATA_ROWS;
    out->features = DATA_FEATURES;
    out->classes = DATA_CLASSES;
}

void chain_fixture_load(const struct chain_fixture *f)
{
    Pot__PublishDataset description;
    struct datasets_book *book = f->holdings.datasets;
    const struct data *data = the_data();
    chain_fixture_describe(&description);
    enum pot_err err = datasets_announce(book, &description, false);
    POT_ASSERT(err == POT_OK);
    err = datasets_put_chunk(book, &data->address, 0, data->bytes, data->size);
    POT_ASSERT(err == POT_OK);
    err = datasets_load(book, &data->address);
    POT_ASSERT(err == POT_OK);
}

Pot__Signed *chain_fixture_publish(const struct chain_fixture *f,
                                   uint64_t nonce,
                                   Pot__PublishDataset *description)
{
    Pot__TxBody body = POT__TX_BODY__INIT;
    body.chain_id = codec_bytes(f->holdings.chain.b, HASH_SIZE);
    body.nonce = nonce;
    body.fee = FEE;
    body.action_case = POT__TX_BODY__ACTION_PUBLISH_DATASET;
    body.publish_dataset = description;
    return signed_make(SIGNED_TX, &f->holdings.chain, f->client, &body);
}

void chain_fixture_store(const struct chain_fixture *f,
                         void (*write)(const struct ledger_env *env,
                                       const void *what),
                         const void *what)
{
    struct store *store = f->holdings.store;
    struct ledger_view view = {&f->holdings, overlay_new(store)};
    const struct ledger_env env = ledger_view_env(&view);
    struct store_commit commit = {.block = "b", .block_size = 1};
    bool has_tip = store_tip(store, &commit.height, &commit.parent, NULL);
    POT_ASSERT(has_tip);
    commit.height++;
    commit.hash.b[0] = (uint8_t)commit.height;
    write(&env, what);
    enum pot_err err = overlay_root(view.overlay, &commit.state_root);
    POT_ASSERT(err == POT_OK);
    err = store_commit(store, &commit, view.overlay);
    POT_ASSERT(err == POT_OK);
    overlay_free(view.overlay);
}

static void write_task(const struct ledger_env *env, const void *record)
{
    task_store(env, record);
}

void chain_fixture_store_task(const struct chain_fixture *f,
                              const Pot__TaskRecord *record)
{
    chain_fixture_store(f, write_task, record);
}

/* ---- the way of a block */

static void on_proposed(void *context, enum pot_err err,
                        const struct shared_block *block,
                        const struct proposal_request *request)
{
    struct chain_fixture *f = context;
    f->err = err;
    f->answers++;
    f->refused_count = request->refused_count;
    if (f->refused_count > 0) {
        f->refused = request->refused[0];
    }
    if (block != NULL) {
        uint8_t *data = pot_memdup(block->data, block->size);
        enum pot_err opened =
            shared_block_take(&f->proposed, data, block->size);
        POT_ASSERT(opened == POT_OK);
    }
}

struct shared_block *chain_fixture_propose_of(struct chain_fixture *f,
                                              struct proposal_request *r)
{
    r->now_ms = 2000 + 1000 * chain_tip(f->chain)->height;
    r->bytes_max = 1 << 20;
    r->chain_bytes_max = 1 << 20;
    r->work_max_ms = 10000;
    r->proposer = *key_public(f->validator);
    shared_block_unref(f->proposed);
    f->proposed = NULL;
    chain_propose(f->chain, r, on_proposed, f);
    (void)uv_run(&f->loop, UV_RUN_DEFAULT);
    return f->proposed;
}

struct shared_block *chain_fixture_propose(struct chain_fixture *f,
                                           Pot__Signed *tx)
{
    struct proposal_request *r = pot_calloc(1, sizeof(*r));
    r->txs = pot_calloc(1, sizeof(*r->txs));
    r->txs[0] = tx;
    r->tx_count = tx != NULL ? 1 : 0;
    return chain_fixture_propose_of(f, r);
}

void chain_fixture_done(void *context, enum pot_err err, const char *why)
{
    struct chain_fixture *f = context;
    f->answers++;
    f->err = err;
    (void)snprintf(f->why, sizeof(f->why), "%s", why);
}

enum pot_err chain_fixture_check(struct chain_fixture *f,
                                 struct shared_block *block)
{
    chain_check(f->chain, block, 0, chain_fixture_done, f);
    (void)uv_run(&f->loop, UV_RUN_DEFAULT);
    return f->err;
}

struct certified *chain_fixture_certify(const struct chain_fixture *f,
                                        struct shared_block *block)
{
    size_t size;
    struct signature signature;
    struct certified *certified;
    const struct vote vote = {POT__PHASE__PHASE_COMMIT,
                              block->block->header->height, 0,
                              block->block->hash, 0};
    Pot__VoteSignature by = POT__VOTE_SIGNATURE__INIT;
    Pot__VoteSignature *signatures[] = {&by};
    Pot__CommitCertificate c = POT__COMMIT_CERTIFICATE__INIT;
    vote_sign(&signature, f->validator, &f->holdings.chain, &vote);
    by.signature = codec_bytes(signature.b, SIGNATURE_SIZE);
    c.height = vote.height;
    c.digest = codec_bytes(vote.digest.b, HASH_SIZE);
    c.n_signatures = 1;
    c.signatures = signatures;
    uint8_t *data = codec_encode(&size, &c);
    enum pot_err err =
        certified_take(&certified, shared_block_ref(block), data, size);
    POT_ASSERT(err == POT_OK);
    return certified;
}

enum pot_err chain_fixture_apply(struct chain_fixture *f,
                                 struct shared_block *block)
{
    struct certified *certified = chain_fixture_certify(f, block);
    chain_apply(f->chain, certified, chain_fixture_done, f);
    (void)uv_run(&f->loop, UV_RUN_DEFAULT);
    certified_free(certified);
    return f->err;
}

struct shared_block *chain_fixture_lacking(const struct chain_fixture *f)
{
    size_t size;
    struct hash hash;
    struct shared_block *block;
    const struct chain_tip *tip = chain_tip(f->chain);
    const struct hash nobodys = {{9}};
    uint8_t signature[SIGNATURE_SIZE] = {0};
    char core[] = "HASWELL";
    Pot__SubmissionBody submitted = POT__SUBMISSION_BODY__INIT;
    Pot__Signed submission = POT__SIGNED__INIT;
    Pot__Signed *submissions[] = {&submission};
    Pot__RoundUpdate update = POT__ROUND_UPDATE__INIT;
    Pot__RoundUpdate *updates[] = {&update};
    Pot__Block body = POT__BLOCK__INIT;
    Pot__BlockHeader *header = pot_alloc(sizeof(*header));
    pot__block_header__init(header);
    submitted.task = codec_bytes(nobodys.b, HASH_SIZE);
    submitted.parameters_hash = codec_bytes(nobodys.b, HASH_SIZE);
    submitted.payload_hash = codec_bytes(f->lacking.b, HASH_SIZE);
    submitted.payload_bytes = 100;
    submitted.rows = 1;
    submitted.blas_core = core;
    submitted.salt = codec_bytes(nobodys.b, HASH_SIZE);
    submission.public_key = codec_bytes(nobodys.b, PUBLIC_KEY_SIZE);
    submission.signature = codec_bytes(signature, sizeof(signature));
    submission.body.data = codec_encode(&submission.body.len, &submitted);
    update.task = codec_bytes(nobodys.b, HASH_SIZE);
    update.aggregate_hash = codec_bytes(f->lacking.b, HASH_SIZE);
    update.aggregate_bytes = 100;
    update.n_submissions = 1;
    update.submissions = submissions;
    body.n_round_updates = 1;
    body.round_updates = updates;
    header->version = PROTOCOL_VERSION;
    header->chain_id = codec_copy_bytes(f->holdings.chain.b, HASH_SIZE);
    header->height = tip->height + 1;
    header->time_ms = tip->time_ms + 1;
    header->parent_hash = codec_copy_bytes(tip->hash.b, HASH_SIZE);
    header->proposer =
        codec_copy_bytes(key_public(f->validator)->b, PUBLIC_KEY_SIZE);
    header->validators_hash = codec_copy_bytes(nobodys.b, HASH_SIZE);
    header->state_root = codec_copy_bytes(nobodys.b, HASH_SIZE);
    block_seal(&hash, &body, header);
    uint8_t *data = codec_encode(&size, &body);
    enum pot_err err = shared_block_take(&block, data, size);
    POT_ASSERT(err == POT_OK);
    codec_free(header);
    free(body.header.data);
    free(submission.body.data);
    return block;
}
