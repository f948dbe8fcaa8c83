/* Words on submissions that are others'. */
#include "config.h"

#include "base/alloc.h"
#include "node/round/own_links.h"
#include "node/round/rounds.h"
#include "p2p/message.h"
#include "p2p/net.h"
#include "proto/codec.h"
#include "proto/round.h"
#include "proto/signed.h"
#include "tests/byz/byz.h"

#include <stdlib.h>
#include <string.h>

/* The node's own link of the round that it judges, which is asked for when the
 * first payload is there. */
static struct {
    struct hash task;
    uint32_t round;
    struct hash link;
} judged;

/* What was said in it already. */
static struct {
    uint32_t round;
    size_t judgements;
    uint32_t sequence;
} said;

static void learn(const struct hash *task, uint32_t round,
                  const struct hash *link)
{
    judged.task = *task;
    judged.round = round;
    judged.link = *link;
}

static void say_again(struct byz *b, struct round_attestation *heard)
{
    size_t size;
    Pot__AttestationBody *body = heard->body;
    body->sequence = said.sequence++;
    memcpy(body->draw.data, judged.link.b, HASH_SIZE);
    Pot__Signed *message =
        signed_make(SIGNED_ATTESTATION, &b->chain, b->key, body);
    uint8_t *data = codec_encode(&size, message);
    (void)net_broadcast(b->net, MESSAGE_ATTESTATION, data, size, NULL);
    free(data);
    codec_free(message);
}

/* Each time that somebody says more than was said before. */
static void copy(struct byz *b, const Pot__Signed *message)
{
    struct round_attestation heard;
    if (round_attestation_decode(&heard, message) != POT_OK) {
        return;
    }
    if (heard.body->round != said.round) {
        said.round = heard.body->round;
        said.judgements = 0;
    }
    if (heard.body->n_judgements > said.judgements &&
        heard.body->draw.len == HASH_SIZE &&
        heard.body->round == judged.round &&
        hash_equal(&heard.task, &judged.task) &&
        !public_key_equal(&heard.validator, key_public(b->key))) {
        said.judgements = heard.body->n_judgements;
        say_again(b, &heard);
    }
    round_attestation_fini(&heard);
}

/* Its pledge once more, instead of the words behind it. */
static bool withhold(struct byz *b, uint8_t type, const uint8_t *data,
                     size_t size, struct buf *out)
{
    static struct buf pledge;
    Pot__Signed *message;
    struct round_attestation opened;
    bool is_words = false;
    if (type != MESSAGE_ATTESTATION ||
        CODEC_DECODE(&message, pot__signed, data, size) != POT_OK) {
        return false;
    }
    if (round_attestation_decode(&opened, message) == POT_OK) {
        bool is_own = public_key_equal(&opened.validator, key_public(b->key));
        is_words = is_own && opened.body->n_judgements > 0 && pledge.size > 0;
        if (is_own && round_is_pledge(&opened)) {
            buf_fini(&pledge);
            buf_init(&pledge, SIZE_MAX / 2);
            buf_append(&pledge, data, size);
        }
        round_attestation_fini(&opened);
    }
    codec_free(message);
    if (is_words) {
        buf_append(out, pledge.data, pledge.size);
    }
    return is_words;
}

const struct byz_trick byz_words_tricks[] = {
    {"words-copied", "says what another validator has said", .hear = copy,
     .draw = learn},
    {"words-withheld", "pledges words, and shows none", .send = withhold},
    {.name = NULL},
};
