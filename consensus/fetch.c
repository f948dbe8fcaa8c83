/* Blocks by digest.  Whoever voted for a block has it; a replica that needs
 * one (to commit it, or to propose it again) asks those first, two at a
 * time, and goes round with every resend. */
#include "config.h"

#include "base/alloc.h"
#include "base/check.h"
#include "consensus/pbft_state.h"
#include "proto/codec.h"

#define ASKED_AT_ONCE 2

struct body *fetch_find(struct pbft *p, const struct hash *digest)
{
    struct body *const held[] = {p->proposal.body, p->prepared_body,
                                 p->fetched};
    for (size_t i = 0; i < sizeof(held) / sizeof(*held); i++) {
        if (held[i] != NULL && hash_equal(&held[i]->digest, digest)) {
            return held[i];
        }
    }
    return NULL;
}

static bool holds_wanted(const struct pbft *p, uint32_t replica)
{
    const Pot__ViewChange *change = p->changes[replica];
    return votes_holds_body(&p->votes, replica, &p->wanted) ||
           (change != NULL && change->prepared != NULL &&
            codec_bytes_equal(change->prepared->digest, p->wanted.b,
                              HASH_SIZE));
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
    POT_ASSERT(p->is_wanting);
    bool is_any = !is_holder_known(p);
    uint32_t asked = 0;
    for (uint32_t i = 0; i < p->set.count && asked < ASKED_AT_ONCE; i++) {
        uint32_t replica = p->ask_cursor++ % p->set.count;
        if (replica == p->self || !(is_any || holds_wanted(p, replica))) {
            continue;
        }
        struct pbft_effect *effect = pbft_emit(p, PBFT_SEND);
        effect->replica = replica;
        effect->bytes =
            pbft_message_encode_request(&effect->size, p->height, &p->wanted);
        asked++;
    }
}

void fetch_want(struct pbft *p, const struct hash *digest)
{
    if (p->is_wanting && hash_equal(&p->wanted, digest)) {
        return;
    }
    p->is_wanting = true;
    p->wanted = *digest;
    fetch_ask(p);
}

void fetch_on_request(struct pbft *p, const Pot__ProposalRequest *message,
                      uint32_t from)
{
    struct hash digest;
    if (message->height != p->height || from >= p->set.count ||
        from == p->self || p->is_answered[from] ||
        !codec_hash(&digest, message->digest)) {
        return;
    }
    const struct body *body = fetch_find(p, &digest);
    if (body == NULL) {
        return;
    }
    p->is_answered[from] = true;
    struct pbft_effect *effect = pbft_emit(p, PBFT_SEND);
    effect->replica = from;
    effect->bytes = pbft_message_encode_proposal(&effect->size, p->height,
                                                 body->data, body->size);
}

/* A block that may be the one wanted, whoever brought it. */
void fetch_on_block(struct pbft *p, const struct hash *digest,
                    const void *block, size_t size)
{
    if (!p->is_wanting || !hash_equal(digest, &p->wanted)) {
        return;
    }
    struct body *body = body_open(block, size);
    if (body != NULL && hash_equal(&body->digest, &p->wanted)) {
        p->is_wanting = false;
        body_set(&p->fetched, body);
        if (p->is_decided) {
            normal_tell_commit(p);
        } else {
            normal_propose(p);
        }
    }
    body_drop(body);
}

void fetch_on_proposal(struct pbft *p, const Pot__Proposal *message)
{
    if (message->height == p->height) {
        fetch_on_block(p, &p->wanted, message->block.data, message->block.len);
    }
}
