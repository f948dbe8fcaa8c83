/* potd --verify-store, in three steps: every stored value against its
 * checksum and the state against its root; every certificate against the
 * validators of its height; and the whole chain executed again from the
 * genesis, in a store of its own, up to the same state root.  Where blocks are
 * pruned the third step cannot be: there the headers from the genesis on, each
 * with its certificate, vouch for the state root that was computed from the
 * values. */
#include "config.h"

#include "node/verify_store.h"

#include "base/check.h"
#include "base/file.h"
#include "node/block/chain_tip.h"
#include "node/block/validator_sets.h"
#include "node/hold/stored.h"
#include "node/node_parts.h"
#include "node/replay.h"
#include "node/startup.h"
#include "proto/block.h"
#include "proto/certificate.h"
#include "proto/codec.h"
#include "proto/validator_set.h"
#include "storage/store.h"
#include "storage/store_prune.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool on_progress(void *context, uint64_t done, uint64_t all)
{
    (void)context;
    if (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\rvalues: %" PRIu64 " of %" PRIu64, done, all);
    }
    return true;
}

static enum pot_err check_values(struct node *node)
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
    return err;
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

/* What the replay's own store lacks says nothing of the node's. */
static void tell_unfinished(struct node *node, const struct replay *r)
{
    node->exit_code = replay_code(r);
    printf("not finished: nothing wrong was found in the store so far\n");
    if (node->exit_code == EXIT_CODE_FULL) {
        (void)fflush(stdout);
        fprintf(stderr,
                "potd: the replay makes the store again: %s must have as much"
                " room left as %s/store takes\n",
                node->config->home, node->config->home);
    }
}

/* POT_ECANCELLED: it could not be finished; that is told, and the exit code
 * set. */
static enum pot_err check_replay(struct node *node)
{
    struct replay r;
    uint64_t height = 0;
    if (!store_tip(node->holdings.store, &height, NULL, NULL)) {
        printf("the store is empty\n");
        return POT_OK;
    }
    char *folder = file_join(node->config->home, "verify-store.tmp");
    bool is_right = replay_run(&r, node, folder, height) && check_root(&r);
    replay_close(&r);
    enum pot_err err = file_remove_folder(folder);
    if (err != POT_OK && r.own == POT_OK) {
        fprintf(stderr, "potd: %s: %s\n", folder, err_text(err));
    }
    free(folder);
    if (r.own != POT_OK) {
        tell_unfinished(node, &r);
        return POT_ECANCELLED;
    }
    return is_right ? POT_OK : POT_ECORRUPT;
}

static void tell_verdict(struct node *node, enum pot_err err)
{
    bool is_right = err == POT_OK;
    const char *remedy = startup_store_remedy(err);
    node->exit_code = is_right ? EXIT_CODE_DONE : EXIT_CODE_STORE;
    printf("%s\n", is_right ? "the store is right" : "THE STORE IS BAD");
    if (remedy[0] != '\0') {
        (void)fflush(stdout);
        fprintf(stderr, "potd: %s/store%s\n", node->config->home, remedy);
    }
}

enum exit_code verify_store(const struct node_config *config)
{
    struct node node = {.config = config};
    if (startup_open_store(&node)) {
        uint64_t lowest = store_lowest_block(node.holdings.store);
        enum pot_err err = check_values(&node);
        if (err == POT_OK && lowest > 1) {
            err = check_headers(&node, lowest) ? POT_OK : POT_ECORRUPT;
        } else if (err == POT_OK) {
            err = check_replay(&node);
        }
        if (err != POT_ECANCELLED) {
            tell_verdict(&node, err);
        }
    }
    startup_close(&node);
    return node.exit_code;
}
