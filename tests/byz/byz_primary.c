/* What a primary can do to the blocks that it makes. */
#include "config.h"

#include "base/alloc.h"
#include "base/check.h"
#include "node/block/proposal.h"
#include "p2p/message.h"
#include "p2p/net.h"
#include "proto/block.h"
#include "proto/codec.h"
#include "tests/byz/byz.h"

#include <stdlib.h>
#include <string.h>

#define HELD_MAX 16

/* From the environment, where the tests' scripts set it. */
static uint64_t number(const char *name, uint64_t fallback)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 10) : fallback;
}

static bool is_proposal(const Pot__ConsensusMessage *message)
{
    return message->kind_case == POT__CONSENSUS_MESSAGE__KIND_PRE_PREPARE;
}

static uint32_t where_to(const struct pbft_effect *effect)
{
    return effect->type == PBFT_BROADCAST ? BYZ_ALL : effect->replica;
}

/* ---- blocks that do not execute */

static void spoil(struct byz *b, struct pbft_effects *out,
                  struct pbft_effect *effect,
                  const Pot__ConsensusMessage *message)
{
    struct vote vote;
    struct block *block;
    struct hash root = {{1}};
    if (!is_proposal(message) || !byz_vote_of(&vote, message) ||
        block_decode(&block, message->pre_prepare->block.data,
                     message->pre_prepare->block.len) != POT_OK) {
        byz_move(out, effect);
        return;
    }
    size_t size;
    codec_set_hash(&block->header->state_root, &root);
    block_seal(&vote.digest, block->body, block->header);
    uint8_t *data = codec_encode(&size, block->body);
    byz_say_block(b, out, where_to(effect), &vote, codec_bytes(data, size));
    free(data);
    block_free(block);
}

/* ---- blocks that come late */

static struct {
    uint64_t due_ms;
    uint32_t to;
    uint8_t *data;
    size_t size;
} held[HELD_MAX];

static void hold(struct byz *b, struct pbft_effects *out,
                 struct pbft_effect *effect,
                 const Pot__ConsensusMessage *message)
{
    if (!is_proposal(message)) {
        byz_move(out, effect);
        return;
    }
    for (size_t i = 0; i < HELD_MAX; i++) {
        if (held[i].data == NULL) {
            held[i].data = pot_memdup(effect->bytes, effect->size);
            held[i].size = effect->size;
            held[i].to = where_to(effect);
            held[i].due_ms = b->now_ms + number("BYZ_DELAY_MS", 400);
            return;
        }
    }
}

static bool is_for(void *context, const struct peer *peer)
{
    const struct public_key *key = context;
    return key == NULL || public_key_equal(peer_key(peer), key);
}

static void release(struct byz *b)
{
    const struct validator_set *set = pbft_validators(b->pbft);
    for (size_t i = 0; i < HELD_MAX; i++) {
        if (held[i].data != NULL && held[i].due_ms <= b->now_ms) {
            struct public_key to = {{0}};
            bool is_one = held[i].to < set->count;
            if (is_one) {
                to = set->keys[held[i].to];
            }
            (void)net_multicast(b->net, MESSAGE_CONSENSUS, held[i].data,
                                held[i].size, is_for, is_one ? &to : NULL);
            free(held[i].data);
            held[i].data = NULL;
        }
    }
}

/* ---- blocks without somebody's transactions */

static bool is_censored(const Pot__Signed *tx)
{
    struct public_key victim;
    const char *address = getenv("BYZ_CENSOR");
    if (address == NULL) {
        return true;
    }
    enum pot_err err = address_parse(&victim, address);
    POT_ASSERT(err == POT_OK);
    return codec_bytes_equal(tx->public_key, victim.b, PUBLIC_KEY_SIZE);
}

static void censor(struct byz *b, struct proposal_request *request)
{
    size_t kept = 0;
    (void)b;
    for (size_t i = 0; i < request->tx_count; i++) {
        if (is_censored(request->txs[i])) {
            codec_free(request->txs[i]);
        } else {
            request->txs[kept++] = request->txs[i];
        }
    }
    request->tx_count = kept;
}

/* ---- blocks without evidence */

static void spare(struct byz *b, struct proposal_request *request)
{
    (void)b;
    for (size_t i = 0; i < request->evidence_count; i++) {
        codec_free(request->evidence[i]);
    }
    request->evidence_count = 0;
}

const struct byz_trick byz_primary_tricks[] = {
    {"bad-blocks", "proposes blocks whose state root is wrong", .say = spoil},
    {"slow", "proposes each block BYZ_DELAY_MS late", .say = hold,
     .tick = release},
    {"censor", "leaves out the transactions of BYZ_CENSOR, or all",
     .propose = censor},
    {"spare", "leaves out all evidence", .accuse = spare},
    {.name = NULL},
};
