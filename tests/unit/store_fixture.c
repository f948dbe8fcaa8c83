#include "config.h"

#include "tests/unit/store_fixture.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "proto/block.h"
#include "proto/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct store *fixture_open(const char *folder)
{
    char why[256];
    struct store *store;
    enum pot_err err =
        store_open(&store, folder, STORE_MAP_MIN, why, sizeof(why));
    if (err != POT_OK) {
        fprintf(stderr, "store_open: %s: %s\n", err_text(err), why);
    }
    POT_ASSERT(err == POT_OK);
    return store;
}

static uint8_t *make_block(size_t *size, struct store_commit *commit)
{
    static const struct hash any = {{9}};
    Pot__Block *body = pot_alloc(sizeof(*body));
    Pot__BlockHeader *header = pot_alloc(sizeof(*header));
    pot__block__init(body);
    pot__block_header__init(header);
    header->version = PROTOCOL_VERSION;
    header->height = commit->height;
    header->time_ms = commit->height;
    header->chain_id = codec_copy_bytes(any.b, HASH_SIZE);
    header->proposer = codec_copy_bytes(any.b, HASH_SIZE);
    header->validators_hash = codec_copy_bytes(any.b, HASH_SIZE);
    header->parent_hash = codec_copy_bytes(commit->parent.b, HASH_SIZE);
    header->state_root = codec_copy_bytes(commit->state_root.b, HASH_SIZE);
    block_seal(&commit->hash, body, header);
    uint8_t *data = codec_encode(size, body);
    codec_free(header);
    codec_free(body);
    return data;
}

static uint8_t *make_certificate(size_t *size,
                                 const struct store_commit *commit)
{
    Pot__CommitCertificate certificate = POT__COMMIT_CERTIFICATE__INIT;
    certificate.height = commit->height;
    certificate.digest = codec_bytes(commit->hash.b, HASH_SIZE);
    return codec_encode(size, &certificate);
}

enum how { SYNCED, SOON, AT_ONCE };

static enum pot_err commit_block(struct store *store, struct overlay *overlay,
                                 const struct fixture_extra *extra,
                                 enum how how)
{
    struct store_commit commit = {.height = 0};
    uint8_t *block = NULL;
    uint8_t *certificate = NULL;
    uint64_t height;
    if (extra != NULL) {
        commit.txs = extra->txs;
        commit.tx_count = extra->tx_count;
        commit.rewards = extra->rewards;
        commit.reward_count = extra->reward_count;
        commit.rounds = extra->rounds;
        commit.round_count = extra->round_count;
    }
    enum pot_err err = overlay_root(overlay, &commit.state_root);
    if (err != POT_OK) {
        return err;
    }
    if (store_tip(store, &height, &commit.parent, NULL)) {
        commit.height = height + 1;
        block = make_block(&commit.block_size, &commit);
        certificate = make_certificate(&commit.certificate_size, &commit);
        commit.block = block;
        commit.certificate = certificate;
    } else {
        hash_bytes(&commit.hash, "genesis", "test", 4);
    }
    err = how == SYNCED
              ? store_commit(store, &commit, overlay)
              : store_commit_soon(store, &commit, overlay, how == SOON);
    free(certificate);
    free(block);
    return err;
}

enum pot_err fixture_commit(struct store *store, struct overlay *overlay,
                            const struct fixture_extra *extra)
{
    return commit_block(store, overlay, extra, SYNCED);
}

enum pot_err fixture_commit_soon(struct store *store, struct overlay *overlay,
                                 bool may_wait)
{
    return commit_block(store, overlay, NULL, may_wait ? SOON : AT_ONCE);
}

enum pot_err fixture_commit_empty(struct store *store)
{
    struct overlay *overlay = overlay_new(store);
    enum pot_err err = fixture_commit(store, overlay, NULL);
    overlay_free(overlay);
    return err;
}
