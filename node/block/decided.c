#include "config.h"

#include "node/block/decided.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/log.h"
#include "node/block/block_check.h"
#include "node/block/block_commit.h"
#include "node/block/certified.h"
#include "node/block/chain_tip.h"
#include "node/block/executed.h"
#include "node/block/shared_block.h"
#include "node/block/validator_sets.h"
#include "node/hold/holdings.h"
#include "proto/codec.h"
#include "proto/consensus.pb-c.h"
#include "proto/validator_set.h"
#include "storage/store.h"

#include <stdlib.h>

/* Beyond this the store's own sync costs less. */
#define BYTES_MAX ((size_t)64 << 10)

/* ---- into a record */

static enum pot_err add(struct buf *out, struct store *store, uint64_t height)
{
    struct buf block;
    struct buf certificate;
    Pot__DecidedBlock one = POT__DECIDED_BLOCK__INIT;
    Pot__DecidedBlock *list[] = {&one};
    Pot__PbftRecord record = POT__PBFT_RECORD__INIT;
    buf_init(&block, BYTES_MAX);
    buf_init(&certificate, BYTES_MAX);
    enum pot_err err = store_get_block(store, height, &block);
    if (err == POT_OK) {
        err = store_get_certificate(store, height, &certificate);
    }
    if (err == POT_OK) {
        size_t size;
        one.block = codec_bytes(block.data, block.size);
        one.certificate = codec_bytes(certificate.data, certificate.size);
        record.decided = list;
        record.n_decided = 1;
        uint8_t *data = codec_encode(&size, &record);
        buf_append(out, data, size);
        free(data);
        err = out->is_overflown ? POT_ELIMIT : POT_OK;
    }
    buf_fini(&certificate);
    buf_fini(&block);
    return err;
}

static void begin(struct decided *decided, uint64_t first)
{
    buf_fini(&decided->bytes);
    buf_init(&decided->bytes, BYTES_MAX);
    decided->first = first;
    decided->end = first;
}

enum pot_err decided_append(struct decided *decided, struct buf *out,
                            struct store *store)
{
    uint64_t first;
    size_t before = out->size;
    enum pot_err err = POT_OK;
    uint64_t end = store_unsynced(store, &first);
    end += first;
    if (decided->first != first || decided->end > end) {
        begin(decided, first);
    }
    while (err == POT_OK && decided->end < end) {
        err = add(&decided->bytes, store, decided->end);
        decided->end += err == POT_OK;
    }
    if (err == POT_OK) {
        buf_append(out, decided->bytes.data, decided->bytes.size);
        err = out->is_overflown ? POT_ELIMIT : POT_OK;
    }
    if (err != POT_OK) {
        begin(decided, first);
        out->size = before;
        out->is_overflown = false;
    }
    return err;
}

/* ---- from one record into another */

uint8_t *decided_carry(size_t *size, const void *record, size_t record_size,
                       const void *from, size_t from_size)
{
    Pot__PbftRecord *opened;
    Pot__PbftRecord rest = POT__PBFT_RECORD__INIT;
    struct buf out;
    buf_init(&out, record_size + from_size);
    buf_append(&out, record, record_size);
    if (from_size > 0 &&
        CODEC_DECODE(&opened, pot__pbft_record, from, from_size) == POT_OK) {
        rest.decided = opened->decided;
        rest.n_decided = opened->n_decided;
        uint8_t *data = codec_encode(size, &rest);
        buf_append(&out, data, *size);
        free(data);
        codec_free(opened);
    }
    *size = out.size;
    return out.data;
}

/* ---- and back */

static bool fits(const struct certified *certified,
                 const struct holdings *holdings, const struct chain_tip *tip)
{
    struct validator_set set;
    const Pot__BlockHeader *header = certified->block->block->header;
    return header->height == tip->height + 1 &&
           codec_bytes_equal(header->parent_hash, tip->hash.b, HASH_SIZE) &&
           validator_sets_read(holdings, &tip->next_signers, &set) == POT_OK &&
           certified_verify(certified, &holdings->chain, &set);
}

static enum pot_err apply(struct chain_tip *tip,
                          const struct holdings *holdings,
                          const struct certified *certified)
{
    char why[BLOCK_WHY_SIZE] = "";
    struct executed *made = NULL;
    const struct block *block = certified->block->block;
    enum pot_err err =
        block_check(&made, holdings, tip, certified->block, 0, true, why);
    if (err == POT_OK) {
        err = block_commit(holdings, tip, made, certified, true);
    }
    executed_free(made);
    if (err == POT_OK) {
        chain_tip_follow(tip, block->header, &block->hash,
                         certified->certificate->view);
    } else {
        LOG(LOG_WARN, "node", "a block of the sign state is not applied",
            log_u64("height", block->header->height), log_text("why", why));
    }
    return err;
}

/* POT_ENOENT: the next one of them does not matter any more. */
static enum pot_err restore_one(struct chain_tip *tip,
                                const struct holdings *holdings,
                                const Pot__DecidedBlock *one)
{
    struct certified *certified;
    enum pot_err err = certified_take_bytes(
        &certified, pot_memdup(one->block.data, one->block.len), one->block.len,
        pot_memdup(one->certificate.data, one->certificate.len),
        one->certificate.len);
    if (err != POT_OK) {
        return POT_ENOENT;
    }
    if (certified->block->block->header->height > tip->height) {
        err = fits(certified, holdings, tip) ? apply(tip, holdings, certified)
                                             : POT_ENOENT;
    }
    certified_free(certified);
    return err;
}

enum pot_err decided_restore(struct chain_tip *tip,
                             const struct holdings *holdings,
                             const void *record, size_t size)
{
    Pot__PbftRecord *opened;
    uint64_t from = tip->height;
    enum pot_err err = POT_OK;
    if (size == 0 ||
        CODEC_DECODE(&opened, pot__pbft_record, record, size) != POT_OK) {
        return POT_OK; /* PBFT tells of it */
    }
    for (size_t i = 0; err == POT_OK && i < opened->n_decided; i++) {
        err = restore_one(tip, holdings, opened->decided[i]);
    }
    codec_free(opened);
    if (err == POT_ENOENT || err == POT_EFORMAT) {
        err = POT_OK;
    }
    if (err == POT_OK && tip->height > from) {
        LOG(LOG_INFO, "node", "blocks taken from the sign state",
            log_u64("from", from + 1), log_u64("to", tip->height));
        err = store_sync(holdings->store);
    }
    if (err == POT_EFULL) { /* no reason not to start: it does not vote */
        LOG(LOG_WARN, "node",
            "blocks of the sign state are not stored: the disk is full",
            log_u64("height", tip->height),
            log_text("next", "make room, and start potd again if no other node"
                             " has them"));
        err = POT_OK;
    }
    return err;
}
