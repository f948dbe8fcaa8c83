/* verify-chain fetches headers and certificates in ranges and hands them to
 * chain_check.c, which trusts nobody but the genesis file; here is only what
 * has to do with the node. */
#include "config.h"

#include "base/alloc.h"
#include "base/hex.h"
#include "ctl/chain_check.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "proto/codec.h"
#include "proto/genesis.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS_A_REQUEST 100

struct fetcher {
    struct ctl *ctl;
    struct chain_check chain;
};

static uint8_t *take_hex(size_t *size, const json_t *object, const char *key)
{
    const char *text = client_text(object, key);
    *size = strlen(text) / 2;
    uint8_t *data = pot_alloc(*size);
    if (*size == 0 || strlen(text) % 2 != 0 ||
        hex_parse(data, *size, text) != POT_OK) {
        free(data);
        return NULL;
    }
    return data;
}

static bool read_set(struct validator_set *set, const json_t *list)
{
    size_t count = json_array_size(list);
    if (count < 1 || count > VALIDATORS_MAX) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const char *text = client_text(json_array_get(list, i), "address");
        if (address_parse(&set->keys[i], text) != POT_OK) {
            return false;
        }
    }
    set->count = (uint32_t)count;
    return true;
}

/* Asks for the set that the last header names. */
static enum exit_code fetch_set(struct fetcher *f, bool *is_good)
{
    struct validator_set set = {.count = 0};
    json_t *json;
    enum exit_code rc =
        client_get(&json, f->ctl, "/v1/validators?height=%" PRIu64,
                   f->chain.tip.height + 1);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    if (!read_set(&set, json_object_get(json, "validators"))) {
        set.count = 0;
    }
    *is_good = chain_check_set(&f->chain, &set);
    json_decref(json);
    return EXIT_CODE_DONE;
}

static enum exit_code check_block(struct fetcher *f, bool *is_good,
                                  const json_t *json)
{
    size_t header_size;
    size_t certificate_size;
    enum exit_code rc = EXIT_CODE_DONE;
    uint8_t *header = take_hex(&header_size, json, "header");
    uint8_t *certificate = take_hex(&certificate_size, json, "certificate");
    *is_good = chain_check_block(&f->chain, header, header_size, certificate,
                                 certificate_size);
    if (*is_good && f->chain.needs_set) {
        rc = fetch_set(f, is_good);
    }
    free(certificate);
    free(header);
    return rc;
}

/* ---- the whole chain */

static enum exit_code check_range(struct fetcher *f, bool *is_good, uint64_t to)
{
    json_t *json;
    json_t *block;
    size_t i;
    uint64_t left = to - f->chain.tip.height;
    uint64_t before = f->chain.tip.height;
    enum exit_code rc = client_get(
        &json, f->ctl, "/v1/blocks/raw?from=%" PRIu64 "&limit=%" PRIu64,
        f->chain.tip.height + 1,
        left < BLOCKS_A_REQUEST ? left : BLOCKS_A_REQUEST);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    json_array_foreach(json_object_get(json, "blocks"), i, block)
    {
        if (f->chain.tip.height < to && rc == EXIT_CODE_DONE && *is_good) {
            rc = check_block(f, is_good, block);
        }
    }
    json_decref(json);
    if (rc == EXIT_CODE_DONE && *is_good && f->chain.tip.height == before) {
        *is_good = chain_check_missing(&f->chain);
    }
    return rc;
}

static enum exit_code report(struct fetcher *f, bool is_good)
{
    struct ctl *ctl = f->ctl;
    json_int_t to = (json_int_t)f->chain.tip.height;
    char text[HASH_TEXT_SIZE];
    if (is_good) {
        ctl_print(ctl, "%" PRIu64 " blocks are right, up to %s\n",
                  f->chain.tip.height, hash_format(&f->chain.tip.hash, text));
        ctl_print_json(ctl, json_pack("{sI sI sI sb}", "from", (json_int_t)1,
                                      "to", to, "blocks", to, "ok", 1));
        return EXIT_CODE_DONE;
    }
    ctl_print_json(ctl, json_pack("{sI sI sI sb sI ss}", "from", (json_int_t)1,
                                  "to", to + 1, "blocks", to + 1, "ok", 0,
                                  "first_bad", to + 1, "why", f->chain.why));
    return ctl_fail(ctl, EXIT_CODE_FAILED,
                    "block %" PRIu64 " is bad: %s; do not trust the node at %s",
                    f->chain.tip.height + 1, f->chain.why, ctl->node);
}

static enum exit_code load_genesis(struct fetcher *f,
                                   const struct cli_args *args)
{
    char why[GENESIS_WHY_SIZE] = "";
    const char *path;
    Pot__Genesis *genesis;
    enum exit_code rc = cli_required(&path, f->ctl, args, "genesis");
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    if (genesis_load(&genesis, path, why) != POT_OK) {
        return ctl_fail(f->ctl, EXIT_CODE_CONFIG, "genesis file %s: %s", path,
                        why);
    }
    chain_check_init(&f->chain, genesis);
    codec_free(genesis);
    return EXIT_CODE_DONE;
}

/* The node's own word on where it stands: a wrong file or a height that it
 * has not reached yet is no fault of its chain. */
static enum exit_code look_at_node(uint64_t *to, struct fetcher *f)
{
    json_t *status;
    enum exit_code rc = client_get(&status, f->ctl, "/v1/status");
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    struct hash id;
    const char *name = client_text(status, "chain_id");
    uint64_t height = client_count(status, "height");
    chain_id_hash(&id, name);
    if (!hash_equal(&id, &f->chain.id)) {
        rc = ctl_fail(f->ctl, EXIT_CODE_CONFIG,
                      "the node at %s is of the chain %s, the genesis file of"
                      " another; use that chain's file or --node",
                      f->ctl->node, name);
    } else if (*to > height) {
        rc = ctl_fail(f->ctl, EXIT_CODE_FAILED,
                      "the node at %s has %" PRIu64
                      " blocks so far; use a smaller --to",
                      f->ctl->node, height);
    } else if (*to == 0) {
        *to = height;
    }
    json_decref(status);
    return rc;
}

static enum exit_code run(struct ctl *ctl, const struct cli_args *args)
{
    struct fetcher f = {.ctl = ctl};
    bool is_good = true;
    uint64_t to;
    enum exit_code rc = load_genesis(&f, args);
    if (rc == EXIT_CODE_DONE) {
        rc = cli_count(&to, ctl, args, "to", 1, INT64_MAX, 0);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = look_at_node(&to, &f);
    }
    while (rc == EXIT_CODE_DONE && is_good && f.chain.tip.height < to) {
        rc = check_range(&f, &is_good, to);
        if (ctl->has_live_stderr && !ctl->is_quiet) {
            (void)fprintf(stderr,
                          "\r\033[K%" PRIu64 " of %" PRIu64 " blocks checked%s",
                          f.chain.tip.height, to,
                          f.chain.tip.height == to || !is_good ? "\n" : "");
        }
    }
    return rc == EXIT_CODE_DONE ? report(&f, is_good) : rc;
}

const struct cli_command cmd_verify_chain = {
    .name = "verify-chain",
    .arguments = "",
    .summary = "check every header and certificate, without trust",
    .details = "Headers and certificates come from the node; they are held"
               " against the genesis\nfile and each other.  Exits with 1 if a"
               " block is bad.\n",
    .examples = "  potctl verify-chain --genesis net/genesis.json\n",
    .options = {{"genesis", "FILE", "where the chain began"},
                {"to", "HEIGHT", "end there (the node's last block)"}},
    .run = run,
};
