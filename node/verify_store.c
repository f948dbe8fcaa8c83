/* potd --verify-store, in three steps: every stored value against its
 * checksum and the state against its root; every certificate against the
 * validators of its height; and the whole chain executed again from the
 * genesis, in a store of its own, up to the same state root.  Where blocks are
 * pruned the third step cannot be: there the headers from the genesis on, each
 * with its certificate, vouch for the state root that was computed from the
 * values. */
#include "config.h"

#include "node/verify_store.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/file.h"
#include "base/limits.h"
#include "node/block/block_check.h"
#include "node/block/block_commit.h"
#include "node/block/certified.h"
#include "node/block/chain_tip.h"
#include "node/block/executed.h"
#include "node/block/round_blobs.h"
#include "node/block/shared_block.h"
#include "node/block/validator_sets.h"
#include "node/hold/blob_pool.h"
#include "node/hold/stored.h"
#include "node/node_parts.h"
#include "node/startup.h"
#include "proto/block.h"
#include "proto/certificate.h"
#include "proto/codec.h"
#include "proto/gradient.h"
#include "proto/validator_set.h"
#include "storage/store.h"
#include "storage/store_prune.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PROGRESS_EVERY  1000
#define REPLAY_MAP_SIZE ((size_t)256 << 20)

static bool on_progress(void *context, uint64_t done, uint64_t all)
{
    (void)context;
    if (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\rvalues: %" PRIu64 " of %" PRIu64, done, all);
    }
    return true;
}

static bool check_values(struct node *node)
{
    static struct store_report report;
    enum pot_err err =
        store_verify(node->holdings.store, &report, on_progress, NULL);
    if (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\n");
    }
    printf("values: %" PRIu64 " records, %" PRIu64 " bytes, %" PRIu64
           " blocks, %" PRIu64 " state keys, %" PRIu64 " blobs\n",
           report.records, report.bytes, report.blocks, report.state_keys,
           report.blobs);
    for (uint64_t i = 0; i < report.problem_count && i < STORE_PROBLEMS_MAX;
         i++) {
        const struct store_problem *p = &report.problems[i];
        fprintf(stderr, "potd: %s %s: %s\n", p->table, p->key, p->what);
    }
    if (err != POT_OK) {
        fprintf(stderr, "potd: the store: %s: %" PRIu64 " problems\n",
                err_text(err), report.problem_count);
    }
    return err == POT_OK;
}

struct replay {
    struct node *node;
    struct holdings holdings; /* over the store that is made again */
    struct chain_tip tip;
};

/* Aggregates are the one thing that a certified block does not carry. */
static enum pot_err lend_aggregates(struct replay *r, const struct block *block)
{
    enum pot_err err = POT_OK;
    struct buf data;
    buf_init(&data, GRADIENT_BYTES_MAX(4));
    for (size_t i = 0; err == POT_OK && i < block->body->n_round_updates; i++) {
        const Pot__RoundUpdate *u = block->body->round_updates[i];
        struct hash hash;
        if (!round_blobs_aggregate(u, &hash)) {
            continue;
        }
        err = store_blob_get(r->node->holdings.store, &hash, &data);
        if (err == POT_OK) {
            (void)blob_pool_put(r->holdings.pool, &hash, data.data, data.size);
        }
    }
    buf_fini(&data);
    return err;
}

static bool replay_block(struct replay *r, const struct certified *certified)
{
    char why[BLOCK_WHY_SIZE] = "";
    struct executed *made = NULL;
    const struct block *block = certified->block->block;
    enum pot_err err = lend_aggregates(r, block);
    if (err != POT_OK) {
        fprintf(stderr, "potd: height %" PRIu64 ": its aggregate: %s\n",
                block->header->height, err_text(err));
        return false;
    }
    if (block_check(&made, &r->holdings, &r->tip, certified->block, 0, true,
                    why) != POT_OK) {
        fprintf(stderr, "potd: height %" PRIu64 ": executed again: %s\n",
                block->header->height, why);
        return false;
    }
    err = block_commit(&r->holdings, &r->tip, made, certified);
    executed_free(made);
    if (err != POT_OK) {
        fprintf(stderr, "potd: the store for the replay: %s\n", err_text(err));
        return false;
    }
    chain_tip_follow(&r->tip, block->header, &block->hash,
                     certified->certificate->view);
    return true;
}

static struct certified *read_block(struct store *store, uint64_t height)
{
    struct buf block;
    struct buf certificate;
    struct certified *certified = NULL;
    buf_init(&block, BLOCK_BYTES_MAX);
    buf_init(&certificate, BLOCK_BYTES_MAX);
    if (store_get_block(store, height, &block) == POT_OK &&
        store_get_certificate(store, height, &certificate) == POT_OK) {
        enum pot_err err = certified_take_bytes(
            &certified, pot_memdup(block.data, block.size), block.size,
            pot_memdup(certificate.data, certificate.size), certificate.size);
        POT_ASSERT((err == POT_OK) == (certified != NULL));
    }
    buf_fini(&block);
    buf_fini(&certificate);
    return certified;
}

static bool check_height(struct replay *r, uint64_t height)
{
    struct validator_set set;
    bool is_right = false;
    struct certified *certified = read_block(r->node->holdings.store, height);
    if (certified == NULL ||
        certified->block->block->header->height != height) {
        fprintf(stderr, "potd: height %" PRIu64 ": cannot be read\n", height);
    } else if (validator_sets_read(&r->node->holdings, &r->tip.next_signers,
                                   &set) != POT_OK ||
               !certified_verify(certified, &r->holdings.chain, &set)) {
        fprintf(stderr, "potd: height %" PRIu64 ": its certificate is wrong\n",
                height);
    } else {
        is_right = replay_block(r, certified);
    }
    certified_free(certified);
    if (height % PROGRESS_EVERY == 0) {
        fprintf(stderr, "replayed %" PRIu64 " blocks\n", height);
    }
    return is_right;
}

static bool check_root(const struct replay *r)
{
    uint64_t height;
    char text[HASH_TEXT_SIZE];
    struct hash stored;
    struct hash made;
    bool has_both =
        store_tip(r->node->holdings.store, &height, NULL, &stored) &&
        store_tip(r->holdings.store, NULL, NULL, &made);
    POT_ASSERT(has_both);
    if (!hash_equal(&stored, &made)) {
        fprintf(stderr, "potd: the replay ends with another state root\n");
        return false;
    }
    printf("replay: %" PRIu64 " blocks and certificates from the genesis, "
           "state root %s\n",
           height, hash_format(&stored, text));
    return true;
}

static bool replay_all(struct replay *r)
{
    uint64_t height = 0;
    r->tip.hash = r->holdings.genesis_hash;
    r->tip.time_ms = r->node->genesis->time_ms;
    r->tip.next_signers = r->holdings.genesis_hash;
    if (!store_tip(r->node->holdings.store, &height, NULL, NULL)) {
        printf("the store is empty\n");
        return true;
    }
    if (block_commit_genesis(&r->holdings, r->node->genesis) != POT_OK) {
        fprintf(stderr, "potd: the genesis cannot be executed\n");
        return false;
    }
    for (uint64_t h = 1; h <= height; h++) {
        if (!check_height(r, h)) {
            return false;
        }
    }
    return check_root(r);
}

/* ---- headers, where blocks are pruned */

static bool check_one_header(struct node *node, struct chain_tip *tip,
                             uint64_t height)
{
    struct hash hash;
    struct validator_set set;
    Pot__BlockHeader *header = NULL;
    Pot__CommitCertificate *certificate = NULL;
    struct store *store = node->holdings.store;
    const struct block_parent parent = {tip->height, tip->time_ms, tip->hash};
    bool is_right = stored_header(&header, &hash, store, height) == POT_OK &&
                    stored_certificate(&certificate, store, height) == POT_OK &&
                    header_follows(header, &node->holdings.chain, &parent) ==
                        HEADER_FOLLOWS &&
                    validator_sets_read(&node->holdings, &tip->next_signers,
                                        &set) == POT_OK &&
                    certificate_proves(&set, &node->holdings.chain, certificate,
                                       height, &hash) == CERTIFICATE_VALID;
    if (is_right) {
        chain_tip_follow(tip, header, &hash, certificate->view);
    } else {
        fprintf(stderr,
                "potd: height %" PRIu64
                ": its header or its certificate is wrong\n",
                height);
    }
    codec_free(header);
    codec_free(certificate);
    return is_right;
}

static bool check_headers(struct node *node, uint64_t lowest)
{
    uint64_t height;
    struct hash hash;
    struct hash root;
    char text[HASH_TEXT_SIZE];
    struct chain_tip tip = {.time_ms = node->genesis->time_ms,
                            .hash = node->holdings.genesis_hash,
                            .next_signers = node->holdings.genesis_hash};
    bool is_right = store_tip(node->holdings.store, &height, &hash, &root);
    for (uint64_t h = 1; is_right && h <= height; h++) {
        is_right = check_one_header(node, &tip, h);
    }
    if (is_right && (!hash_equal(&tip.hash, &hash) ||
                     !hash_equal(&tip.state_root, &root))) {
        fprintf(stderr, "potd: the last header names another state root\n");
        is_right = false;
    }
    if (is_right) {
        printf("headers: %" PRIu64 " and certificates from the genesis, "
               "state root %s; blocks below %" PRIu64 " are pruned\n",
               height, hash_format(&root, text), lowest);
    }
    return is_right;
}

static bool check_replay(struct node *node)
{
    char why[256] = "";
    struct replay r = {.node = node, .holdings = node->holdings};
    char *folder = file_join(node->config->home, "verify-store.tmp");
    enum pot_err err = file_remove_folder(folder);
    if (err == POT_OK) {
        err = store_open(&r.holdings.store, folder, REPLAY_MAP_SIZE, why,
                         sizeof(why));
    }
    bool is_right = false;
    if (err == POT_OK) {
        is_right = replay_all(&r);
    } else {
        fprintf(stderr, "potd: %s: %s\n", folder, why);
    }
    store_close(r.holdings.store);
    err = file_remove_folder(folder);
    if (err != POT_OK) {
        fprintf(stderr, "potd: %s: %s\n", folder, err_text(err));
    }
    free(folder);
    return is_right;
}

enum exit_code verify_store(const struct node_config *config)
{
    struct node node = {.config = config};
    if (startup_open_store(&node)) {
        uint64_t lowest = store_lowest_block(node.holdings.store);
        bool is_right =
            check_values(&node) &&
            (lowest > 1 ? check_headers(&node, lowest) : check_replay(&node));
        node.exit_code = is_right ? EXIT_CODE_DONE : EXIT_CODE_STORE;
        printf("%s\n", is_right ? "the store is right" : "THE STORE IS BAD");
    }
    startup_close(&node);
    return node.exit_code;
}
