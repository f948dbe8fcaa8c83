/* byz: a whole potd with a validator's key whose words are twisted on their
 * way out.
 *
 * The node is the real one, linked with --wrap (tests/byz/byz_wrap.c): it
 * follows the chain, makes blocks, votes.  A trick stands between its state
 * machine and the network and says other things than it was told to, in its
 * own name and with its own, true signature. */
#ifndef POT_TESTS_BYZ_BYZ_H
#define POT_TESTS_BYZ_BYZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/key.h"
#include "consensus/pbft.h"
#include "proto/chain.pb-c.h"
#include "proto/consensus.pb-c.h"
#include "proto/vote.h"
#include "proto/wire.pb-c.h"

struct net;
struct peer;
struct proposal_request;

#define BYZ_ALL UINT32_MAX /* to: every other replica */

/* What a trick knows of the node it sits in. */
struct byz {
    struct hash chain;
    const struct key *key;
    const struct pbft *pbft; /* NULL before the node has opened it */
    struct net *net;
    uint64_t now_ms; /* of the loop, at the last tick */
};

struct byz_trick {
    const char *name;
    const char *what;
    /* Instead of one effect that says message: puts into out what is to be
     * said.  NULL: as it is. */
    void (*say)(struct byz *b, struct pbft_effects *out,
                struct pbft_effect *effect,
                const Pot__ConsensusMessage *message);
    /* A peer's consensus message has come, verified. */
    void (*heard)(struct byz *b, const Pot__ConsensusMessage *message);
    /* After every step of the state machine: what else is to be said. */
    void (*stepped)(struct byz *b, const struct pbft_event *event,
                    struct pbft_effects *out);
    /* About every 50 ms. */
    void (*tick)(struct byz *b);
    /* What the primary would put into a block: transactions; evidence. */
    void (*propose)(struct byz *b, struct proposal_request *request);
    void (*accuse)(struct byz *b, struct proposal_request *request);
    /* Another message than consensus goes out: true: out instead of data. */
    bool (*send)(struct byz *b, uint8_t type, const uint8_t *data, size_t size,
                 struct buf *out);
    /* Its own gradient, packed, and not hashed yet. */
    void (*pack)(uint8_t *payload);
    /* Its own submission, not signed yet. */
    void (*submit)(Pot__SubmissionBody *body);
    /* Its own words on submissions or a challenge, the same. */
    void (*attest)(Pot__AttestationBody *body);
    /* Its own groups, as an aggregator; its own words on others', the same. */
    void (*group)(Pot__GroupBody *body);
    void (*group_word)(Pot__GroupWordBody *body);
    /* A validator's word on a round has come, well signed; the node's own link
     * of one is known. */
    void (*hear)(struct byz *b, const Pot__Signed *message);
    void (*draw)(const struct hash *task, uint32_t round,
                 const struct hash *link);
};

/* All tricks; the last one has no name. */
extern const struct byz_trick byz_votes_tricks[];
extern const struct byz_trick byz_forge_tricks[];
extern const struct byz_trick byz_primary_tricks[];
extern const struct byz_trick byz_payload_tricks[];
extern const struct byz_trick byz_sync_tricks[];
extern const struct byz_trick byz_words_tricks[];

/* ---- byz_say.c: what tricks say with */

/* byz_vote: a vote of this node, with the node's own signature; as: the
 * replica that it claims to be. */
struct byz_vote {
    Pot__Vote message;
    struct vote vote;
    struct signature signature;
};
void byz_vote_make(struct byz_vote *out, const struct byz *b,
                   const struct vote *vote);

/* byz_say: one message to a replica, or BYZ_ALL.  Copied. */
void byz_say(struct pbft_effects *out, uint32_t to,
             const Pot__ConsensusMessage *message);

/* byz_say_vote: prepare or commit, by vote->phase. */
void byz_say_vote(const struct byz *b, struct pbft_effects *out, uint32_t to,
                  const struct vote *vote);

/* byz_say_block: a pre-prepare of a block by this node. */
void byz_say_block(const struct byz *b, struct pbft_effects *out, uint32_t to,
                   const struct vote *vote, ProtobufCBinaryData block);

/* byz_move: the effect as it is; it is empty then. */
void byz_move(struct pbft_effects *out, struct pbft_effect *effect);

/* byz_vote_of: the vote in a prepare, a commit or a pre-prepare; false: none
 * is in there. */
bool byz_vote_of(struct vote *out, const Pot__ConsensusMessage *message);

/* byz_twist_piece: a send of a trick that twists pieces of blobs alone. */
bool byz_twist_piece(uint8_t type, const uint8_t *data, size_t size,
                     struct buf *out, void (*twist)(Pot__BlobPiece *piece));

/* byz_other: some other hash, always the same one. */
struct hash byz_other(const struct hash *hash);

/* byz_twin: a block that says the same at another time, as good as the
 * first; *hash is its own.  free().  NULL: block does not decode. */
uint8_t *byz_twin(struct hash *hash, size_t *size, ProtobufCBinaryData block);

#endif
