#include "config.h"

#include "consensus/fetch.h"

#include "consensus/pbft_state.h"
#include "proto/codec.h"

#define ASKED_AT_ONCE 2

struct pbft_block *fetch_find(const struct pbft *p, const struct hash *digest)
{
    struct pbft_block *const held[] = {p->proposal.block, p->prepared_block,
                                       p->fetch.block};
    for (size_t i = 0; i < sizeof(held) / sizeof(*held); i++) {
        if (held[i] != NULL && hash_equal(&held[i]->digest, digest)) {
            return held[i];
        }
    }
    return NULL;
}

static bool holds_wanted(const struct pbft *p, uint32_t replica)
{
    const struct hash *wanted = &p->fetch.wanted;
    const Pot__ViewChange *change = p->changes[replica];
    return votes_holds_block(&p->votes, replica, wanted) ||
           (change != NULL && change->prepared != NULL &&
            codec_bytes_equal(change->prepared->digest, wanted->b, HASH_SIZE));
}

static bool is_holder_known(const struct pbft *p)
{
    for (uint32_t i = 0; i < p->set.count; i++) {
        if (i != p->self && holds_wanted(p, i)) {
            return true;
        }
    }
    return false;
}

void fetch_ask(struct pbft *p)
{
    if (!p->fetch.is_wanting) {
        return;
    }
    bool is_any = !is_holder_known(p);
    uint32_t asked = 0;
    for (uint32_t i = 0; i < p->set.count && asked < ASKED_AT_ONCE; i++) {
        uint32_t replica = p->fetch.cursor++ % p->set.count;
        if (replica == p->self || !(is_any || holds_wanted(p, replica))) {
            continue;
        }
        struct pbft_effect *effect = pbft_emit(p, PBFT_SEND);
        effect->replica = replica;
        effect->bytes = pbft_message_encode_block_request(
            &effect->size, p->height, &p->fetch.wanted);
        asked++;
    }
}

void fetch_want(struct pbft *p, const struct hash *digest)
{
    if (!p->fetch.is_wanting || !hash_equal(&p->fetch.wanted, digest)) {
        p->fetch.is_wanting = true;
        p->fetch.wanted = *digest;
        fetch_ask(p);
    }
}

bool fetch_take(struct pbft *p, const void *data, size_t size)
{
    if (!p->fetch.is_wanting) {
        return false;
    }
    struct pbft_block *block = pbft_block_new(data, size);
    bool is_wanted =
        block != NULL && hash_equal(&block->digest, &p->fetch.wanted);
    if (is_wanted) {
        p->fetch.is_wanting = false;
        pbft_block_set(&p->fetch.block, block);
    }
    pbft_block_unref(block);
    return is_wanted;
}

void fetch_on_block_request(struct pbft *p, const Pot__BlockRequest *message,
                            uint32_t from)
{
    struct hash digest;
    if (message->height != p->height || from >= p->set.count ||
        from == p->self || p->is_answered[from] ||
        !codec_hash(&digest, message->digest)) {
        return;
    }
    const struct pbft_block *block = fetch_find(p, &digest);
    if (block == NULL) {
        return;
    }
    p->is_answered[from] = true;
    struct pbft_effect *effect = pbft_emit(p, PBFT_SEND);
    effect->replica = from;
    effect->bytes = pbft_message_encode_block_reply(&effect->size, p->height,
                                                    block->data, block->size);
}
