/* From one block to the next:
 *
 *   1. the header is the next one: chain, height, parent, later;
 *   2. the certificate shows that a quorum of the validators of this height
 *      committed to the header's hash;
 *   3. the header's validators_hash names the set of the next height.
 *
 * So a chain that passes was signed step by step, whoever hands it over. */
#include "config.h"

#include "ctl/chain_check.h"

#include "base/check.h"
#include "base/limits.h"
#include "proto/block.h"
#include "proto/certificate.h"
#include "proto/codec.h"
#include "proto/genesis.h"

#include <stdio.h>

void chain_check_init(struct chain_check *chain, const Pot__Genesis *genesis)
{
    *chain = (struct chain_check){.tip.time_ms = genesis->time_ms};
    chain_id_hash(&chain->id, genesis->chain_id);
    genesis_hash(&chain->tip.hash, genesis);
    genesis_validators(&chain->validators, genesis);
}

static bool bad(struct chain_check *chain, const char *why)
{
    (void)snprintf(chain->why, sizeof(chain->why), "%s", why);
    return false;
}

bool chain_check_missing(struct chain_check *chain)
{
    return bad(chain, "the node does not give this block");
}

static bool check_header(struct chain_check *chain,
                         const Pot__BlockHeader *header)
{
    switch (header_follows(header, &chain->id, &chain->tip)) {
    case HEADER_CHAIN:
        return bad(chain, "its header is of another chain");
    case HEADER_HEIGHT:
        return bad(chain, "its header is of another height");
    case HEADER_PARENT:
        return bad(chain, "it does not follow its parent");
    case HEADER_TIME:
        return bad(chain, "it is not later than its parent");
    case HEADER_FOLLOWS:
        break;
    }
    return true;
}

static bool check_signatures(struct chain_check *chain, const struct hash *hash,
                             const Pot__CommitCertificate *certificate)
{
    enum certificate_verdict verdict =
        certificate_proves(&chain->validators, &chain->id, certificate,
                           chain->tip.height + 1, hash);
    if (verdict != CERTIFICATE_VALID) {
        (void)snprintf(chain->why, sizeof(chain->why), "its certificate: %s",
                       certificate_verdict_text(verdict));
    }
    return verdict == CERTIFICATE_VALID;
}

static bool check_certificate(struct chain_check *chain,
                              const struct hash *hash, const void *data,
                              size_t size)
{
    Pot__CommitCertificate *certificate;
    if (data == NULL || CODEC_DECODE(&certificate, pot__commit_certificate,
                                     data, size) != POT_OK) {
        return bad(chain, "its certificate is missing or malformed");
    }
    bool is_good = check_signatures(chain, hash, certificate);
    codec_free(certificate);
    return is_good;
}

static bool is_named(const struct chain_check *chain,
                     const struct validator_set *set)
{
    struct hash own;
    validator_set_hash(&own, set);
    return set->count > 0 && hash_equal(&own, &chain->next_set);
}

bool chain_check_block(struct chain_check *chain, const void *header_data,
                       size_t header_size, const void *certificate,
                       size_t certificate_size)
{
    struct hash hash;
    Pot__BlockHeader *header = NULL;
    POT_ASSERT(!chain->needs_set);
    if (header_data == NULL || block_header_decode(&header, &hash, header_data,
                                                   header_size) != POT_OK) {
        return bad(chain, "its header is missing or malformed");
    }
    struct hash next_set;
    bool is_good =
        codec_hash(&next_set, header->validators_hash) &&
        check_header(chain, header) &&
        check_certificate(chain, &hash, certificate, certificate_size);
    if (is_good) {
        chain->tip =
            (struct block_parent){header->height, header->time_ms, hash};
        chain->next_set = next_set;
        chain->needs_set = !is_named(chain, &chain->validators);
    }
    codec_free(header);
    return is_good;
}

bool chain_check_set(struct chain_check *chain, const struct validator_set *set)
{
    POT_ASSERT(chain->needs_set);
    if (!is_named(chain, set)) {
        chain->tip.height--;
        return bad(chain, "the validators given for the next height are not"
                          " those that it names");
    }
    chain->validators = *set;
    chain->needs_set = false;
    return true;
}
