/* verify-chain trusts nobody but the genesis file.  It begins with the
 * genesis hash and the first validator set, and takes one header after the
 * other:
 *
 *   1. the header is the next one: chain, height, parent, a later time;
 *   2. the certificate shows that a quorum of the validators of this height
 *      committed to the header's hash;
 *   3. the header's validators_hash names the set of the next height; a set
 *      that is not the present one is asked for and held against that hash.
 *
 * Whatever the node answers, a chain that passes was signed step by step. */
#include "config.h"

#include "base/alloc.h"
#include "base/hex.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "proto/block.h"
#include "proto/certificate.h"
#include "proto/codec.h"
#include "proto/genesis.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS_A_REQUEST 100

struct chain {
    struct ctl *ctl;
    struct hash id;
    uint64_t height; /* of the last block that passed */
    uint64_t time_ms;
    struct hash tip;                 /* its hash; the genesis hash at 0 */
    struct validator_set validators; /* of the next height */
    char why[160];                   /* the first fault */
};

/* ---- one block */

static bool bad(struct chain *chain, const char *why)
{
    (void)snprintf(chain->why, sizeof(chain->why), "%s", why);
    return false;
}

static bool check_header(struct chain *chain, const Pot__BlockHeader *header)
{
    if (!codec_bytes_equal(header->chain_id, chain->id.b, HASH_SIZE)) {
        return bad(chain, "the header is of another chain");
    }
    if (header->version != PROTOCOL_VERSION) {
        return bad(chain, "the header is of another protocol version");
    }
    if (header->height != chain->height + 1) {
        return bad(chain, "the header is of another height");
    }
    if (!codec_bytes_equal(header->parent_hash, chain->tip.b, HASH_SIZE)) {
        return bad(chain, "the header does not follow its parent");
    }
    if (header->time_ms <= chain->time_ms) {
        return bad(chain, "the block is not later than its parent");
    }
    return true;
}

static bool check_certificate(struct chain *chain, const struct hash *hash,
                              const void *data, size_t size)
{
    Pot__CommitCertificate *certificate;
    enum certificate_verdict verdict = CERTIFICATE_MALFORMED;
    if (CODEC_DECODE(&certificate, pot__commit_certificate, data, size) ==
        POT_OK) {
        bool is_of_this =
            certificate->height == chain->height + 1 &&
            codec_bytes_equal(certificate->digest, hash->b, HASH_SIZE);
        if (is_of_this) {
            verdict =
                certificate_verify(&chain->validators, &chain->id, certificate);
        }
        codec_free(certificate);
        if (!is_of_this) {
            return bad(chain, "the certificate is of another block");
        }
    }
    if (verdict != CERTIFICATE_VALID) {
        (void)snprintf(chain->why, sizeof(chain->why), "certificate: %s",
                       certificate_verdict_text(verdict));
        return false;
    }
    return true;
}

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

/* ---- the set that signs the next height */

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

static bool set_has_hash(const struct validator_set *set,
                         ProtobufCBinaryData hash)
{
    struct hash own;
    validators_hash(&own, set->keys, set->count);
    return codec_bytes_equal(hash, own.b, HASH_SIZE);
}

static enum ctl_exit next_set(struct chain *chain, bool *is_good,
                              const Pot__BlockHeader *header)
{
    struct validator_set set;
    json_t *json;
    *is_good = true;
    if (set_has_hash(&chain->validators, header->validators_hash)) {
        return CTL_DONE;
    }
    enum ctl_exit rc =
        client_get(&json, chain->ctl, "/v1/validators?height=%" PRIu64,
                   header->height + 1);
    if (rc != CTL_DONE) {
        return rc;
    }
    *is_good = read_set(&set, json_object_get(json, "validators")) &&
               set_has_hash(&set, header->validators_hash);
    json_decref(json);
    if (*is_good) {
        chain->validators = set;
    } else {
        (void)bad(chain, "the next validators are not those that the header"
                         " names");
    }
    return CTL_DONE;
}

static enum ctl_exit check_block(struct chain *chain, bool *is_good,
                                 const json_t *json)
{
    size_t header_size;
    size_t certificate_size;
    struct hash hash;
    Pot__BlockHeader *header = NULL;
    enum ctl_exit rc = CTL_DONE;
    uint8_t *header_data = take_hex(&header_size, json, "header");
    uint8_t *certificate = take_hex(&certificate_size, json, "certificate");
    *is_good =
        header_data != NULL && certificate != NULL &&
        block_header_open(&header, &hash, header_data, header_size) == POT_OK;
    if (!*is_good) {
        (void)bad(chain, "the header or the certificate is malformed");
        goto out;
    }
    *is_good = check_header(chain, header) &&
               check_certificate(chain, &hash, certificate, certificate_size);
    if (*is_good) {
        rc = next_set(chain, is_good, header);
    }
    if (rc == CTL_DONE && *is_good) {
        chain->height = header->height;
        chain->time_ms = header->time_ms;
        chain->tip = hash;
    }
out:
    codec_free(header);
    free(certificate);
    free(header_data);
    return rc;
}

/* ---- the whole chain */

static enum ctl_exit check_range(struct chain *chain, bool *is_good,
                                 uint64_t to)
{
    json_t *json;
    json_t *block;
    size_t i;
    uint64_t left = to - chain->height;
    uint64_t before = chain->height;
    enum ctl_exit rc = client_get(
        &json, chain->ctl, "/v1/blocks/raw?from=%" PRIu64 "&limit=%" PRIu64,
        chain->height + 1, left < BLOCKS_A_REQUEST ? left : BLOCKS_A_REQUEST);
    if (rc != CTL_DONE) {
        return rc;
    }
    json_array_foreach(json_object_get(json, "blocks"), i, block)
    {
        if (chain->height < to && rc == CTL_DONE && *is_good) {
            rc = check_block(chain, is_good, block);
        }
    }
    json_decref(json);
    if (rc == CTL_DONE && *is_good && chain->height == before) {
        *is_good = bad(chain, "the node does not give this block");
    }
    return rc;
}

static enum ctl_exit report(struct chain *chain, bool is_good)
{
    struct ctl *ctl = chain->ctl;
    json_int_t to = (json_int_t)chain->height;
    char text[HASH_TEXT_SIZE];
    if (is_good) {
        ctl_print(ctl, "%" PRIu64 " blocks are right, up to %s\n",
                  chain->height, hash_format(&chain->tip, text));
        ctl_print_json(ctl, json_pack("{sI sI sI sb}", "from", (json_int_t)1,
                                      "to", to, "blocks", to, "ok", 1));
        return CTL_DONE;
    }
    ctl_print_json(ctl, json_pack("{sI sI sI sb sI ss}", "from", (json_int_t)1,
                                  "to", to + 1, "blocks", to + 1, "ok", 0,
                                  "first_bad", to + 1, "why", chain->why));
    return ctl_fail(ctl, CTL_FAILED,
                    "block %" PRIu64 " is bad: %s; do not trust the node at %s",
                    chain->height + 1, chain->why, ctl->node);
}

static void begin(struct chain *chain, const Pot__Genesis *genesis)
{
    chain_id_hash(&chain->id, genesis->chain_id);
    genesis_hash(&chain->tip, genesis);
    chain->validators.count =
        (uint32_t)genesis_validators(chain->validators.keys, genesis);
    chain->time_ms = genesis->time_ms;
}

static enum ctl_exit load_genesis(struct chain *chain,
                                  const struct cli_args *args)
{
    char why[GENESIS_WHY_SIZE] = "";
    const char *path;
    Pot__Genesis *genesis;
    enum ctl_exit rc = cli_required(&path, chain->ctl, args, "genesis");
    if (rc != CTL_DONE) {
        return rc;
    }
    if (genesis_load(&genesis, path, why) != POT_OK) {
        return ctl_fail(chain->ctl, CTL_CONFIG, "genesis file %s: %s", path,
                        why);
    }
    begin(chain, genesis);
    codec_free(genesis);
    return CTL_DONE;
}

static enum ctl_exit run(struct ctl *ctl, const struct cli_args *args)
{
    struct chain chain = {.ctl = ctl};
    json_t *status;
    bool is_good = true;
    uint64_t to;
    enum ctl_exit rc = load_genesis(&chain, args);
    if (rc == CTL_DONE) {
        rc = cli_count(&to, ctl, args, "to", 1, INT64_MAX, 0);
    }
    if (rc == CTL_DONE && to == 0) {
        rc = client_get(&status, ctl, "/v1/status");
        if (rc == CTL_DONE) {
            to = client_count(status, "height");
            json_decref(status);
        }
    }
    while (rc == CTL_DONE && is_good && chain.height < to) {
        rc = check_range(&chain, &is_good, to);
        if (ctl->has_live_stderr && !ctl->is_quiet) {
            (void)fprintf(
                stderr, "\r\033[K%" PRIu64 " of %" PRIu64 " blocks checked%s",
                chain.height, to, chain.height == to || !is_good ? "\n" : "");
        }
    }
    return rc == CTL_DONE ? report(&chain, is_good) : rc;
}

const struct cli_command cmd_verify_chain = {
    .name = "verify-chain",
    .arguments = "",
    .summary = "check every header and certificate, without trust",
    .details =
        "Headers and certificates come from the node; they are held against"
        " the genesis file\nand each other.  Exits with 1 if a block is bad."
        "\n",
    .examples = "  potctl verify-chain --genesis net/genesis.json\n",
    .options = {{"genesis", "FILE", "where the chain began"},
                {"to", "HEIGHT", "end there (the node's last block)"}},
    .run = run,
};
