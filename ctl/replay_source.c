#include "config.h"

#include "ctl/replay_source.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "ctl/client.h"
#include "proto/codec.h"
#include "proto/dataset.h"
#include "proto/signed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* The bytes that a path gives, appended to out. */
static enum exit_code get_bytes(struct buf *out, struct ctl *ctl,
                                const char *path, const char *what)
{
    struct client_reply reply;
    enum exit_code rc = client_ask(&reply, ctl, "GET", path, NULL, 0);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    if (reply.status == 404 || reply.status == 410) {
        rc = ctl_fail(ctl, EXIT_CODE_FAILED,
                      "the node at %s does not hold %s (pruned, or with"
                      " data.cache_mb it keeps a part); ask another with"
                      " --node",
                      ctl->node, what);
    } else if (reply.status != 200) {
        rc = client_refused(ctl, &reply, what);
    } else {
        buf_append(out, reply.body.data, reply.body.size);
    }
    if (out->is_overflown) {
        rc = ctl_fail(ctl, EXIT_CODE_FAILED, "%s: the node at %s sent too much",
                      what, ctl->node);
    }
    client_reply_fini(&reply);
    return rc;
}

enum exit_code replay_source_block(struct block **out, struct ctl *ctl,
                                   uint64_t height)
{
    char path[64];
    struct buf data;
    *out = NULL;
    (void)snprintf(path, sizeof(path), "/v1/blocks/%" PRIu64 "/bytes", height);
    buf_init(&data, BLOCK_BYTES_MAX);
    enum exit_code rc = get_bytes(&data, ctl, path, "the block");
    if (rc == EXIT_CODE_DONE &&
        (block_decode(out, data.data, data.size) != POT_OK ||
         (*out)->header->height != height)) {
        block_free(*out);
        *out = NULL;
        rc = ctl_fail(ctl, EXIT_CODE_FAILED,
                      "the node at %s gave something else for block %" PRIu64,
                      ctl->node, height);
    }
    buf_fini(&data);
    return rc;
}

static bool open_task(Pot__TxBody **out, const Pot__Signed *tx)
{
    if (CODEC_DECODE(out, pot__tx_body, tx->body.data, tx->body.len) ==
            POT_OK &&
        (*out)->action_case == POT__TX_BODY__ACTION_SUBMIT_TASK &&
        (*out)->submit_task->spec != NULL) {
        return true;
    }
    codec_free(*out);
    *out = NULL;
    return false;
}

enum exit_code replay_source_task(Pot__TxBody **out, struct ctl *ctl,
                                  const struct hash *task, uint64_t height)
{
    struct block *block;
    bool is_found = false;
    *out = NULL;
    enum exit_code rc = replay_source_block(&block, ctl, height);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    for (size_t i = 0; i < block->body->n_txs && !is_found; i++) {
        is_found = hash_equal(&block->txs[i], task) &&
                   open_task(out, block->body->txs[i]);
    }
    block_free(block);
    return is_found ? EXIT_CODE_DONE
                    : ctl_fail(ctl, EXIT_CODE_FAILED,
                               "block %" PRIu64 " of the node at %s does not"
                               " hold the task; ask another node",
                               height, ctl->node);
}

/* ---- data sets */

static enum exit_code get_chunks(struct buf *out, struct ctl *ctl,
                                 const char *address, struct hash *hashes,
                                 uint64_t count)
{
    enum exit_code rc = EXIT_CODE_DONE;
    for (uint64_t i = 0; i < count && rc == EXIT_CODE_DONE; i++) {
        char path[HASH_TEXT_SIZE + 64];
        size_t before = out->size;
        (void)snprintf(path, sizeof(path), "/v1/datasets/%s/chunks/%" PRIu64,
                       address, i);
        rc = get_bytes(out, ctl, path, "the training set");
        if (rc == EXIT_CODE_DONE) {
            dataset_chunk_hash(&hashes[i], out->data + before,
                               out->size - before);
        }
    }
    return rc;
}

enum exit_code replay_source_dataset(struct buf *out, struct ctl *ctl,
                                     const struct hash *address)
{
    char text[HASH_TEXT_SIZE];
    struct hash found = {{0}};
    json_t *json;
    buf_init(out, (size_t)DATASET_CHUNKS_MAX * DATASET_CHUNK_BYTES);
    enum exit_code rc =
        client_get(&json, ctl, "/v1/datasets/%s", hash_format(address, text));
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    uint64_t count = client_count(json, "chunks");
    json_decref(json);
    if (count == 0 || count > DATASET_CHUNKS_MAX) {
        return ctl_fail(ctl, EXIT_CODE_FAILED,
                        "the node at %s has no chunks of the training set",
                        ctl->node);
    }
    struct hash *hashes = pot_calloc((size_t)count, sizeof(*hashes));
    rc = get_chunks(out, ctl, text, hashes, count);
    if (rc == EXIT_CODE_DONE) {
        dataset_address(&found, hashes, (size_t)count);
        if (!hash_equal(&found, address)) {
            rc = ctl_fail(ctl, EXIT_CODE_FAILED,
                          "the node at %s gave other data for the training set"
                          " %s; ask another node",
                          ctl->node, text);
        }
    }
    free(hashes);
    return rc;
}

const Pot__RoundUpdate *replay_source_update(const struct block *block,
                                             const struct hash *task)
{
    for (size_t i = 0; i < block->body->n_round_updates; i++) {
        const Pot__RoundUpdate *update = block->body->round_updates[i];
        if (codec_bytes_equal(update->task, task->b, HASH_SIZE)) {
            return update;
        }
    }
    return NULL;
}
