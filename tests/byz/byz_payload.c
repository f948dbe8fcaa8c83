/* Lies about gradients, one's own and others'. */
#include "config.h"

#include "proto/wire.pb-c.h"
#include "tests/byz/byz.h"

#include <string.h>

#define MAGIC       "PTG1" /* of proto/gradient.h */
#define MAGIC_BYTES 4
#define WIDTH_AT    MAGIC_BYTES

/* Another element in every gradient that is handed out. */
static void change_element(Pot__BlobPiece *piece)
{
    if (piece->data.len > MAGIC_BYTES &&
        memcmp(piece->data.data, MAGIC, MAGIC_BYTES) == 0) {
        piece->data.data[piece->data.len - 1] ^= 1;
    }
}

static bool spoil(struct byz *b, uint8_t type, const uint8_t *data, size_t size,
                  struct buf *out)
{
    (void)b;
    return byz_twist_piece(type, data, size, out, change_element);
}

/* The hash that is signed will be right, and the form is not. */
static void deform(uint8_t *payload)
{
    payload[WIDTH_AT] = 3;
}

/* What everybody holds, and is no gradient: the task's parameters. */
static void misname(Pot__SubmissionBody *body)
{
    memcpy(body->payload_hash.data, body->parameters_hash.data,
           body->payload_hash.len);
}

/* Whatever it was: computed again, and found right. */
static void claim(Pot__AttestationBody *body)
{
    for (size_t i = 0; i < body->n_judgements; i++) {
        body->judgements[i]->verdict = POT__VERDICT__VERDICT_ACCEPT_AUDITED;
    }
}

/* Another sum, or another root, of the same members. */
static void change_sum(Pot__GroupBody *body)
{
    body->sum_hash.data[0] ^= 1;
}

static void change_root(Pot__GroupBody *body)
{
    body->root.data[0] ^= 1;
}

/* As if each of them did not hold. */
static void deny(Pot__GroupWordBody *body)
{
    body->is_right = false;
}

/* Of a group that nobody knows: nothing of those that are. */
static void divert(Pot__GroupWordBody *body)
{
    body->group.data[0] ^= 1;
}

const struct byz_trick byz_payload_tricks[] = {
    {"payload-lies", "gradients with a wrong element", .send = spoil},
    {"payload-deformed", "submits what is no gradient", .pack = deform},
    {"payload-misnamed", "submits the parameters' hash", .submit = misname},
    {"audits-claimed", "says of all to have audited it", .attest = claim},
    {"group-sum-lies", "groups with another sum", .group = change_sum},
    {"group-root-lies", "groups with another root", .group = change_root},
    {"group-words-lie", "says of all groups that they are wrong",
     .group_word = deny},
    {"group-words-silent", "says nothing of groups", .group_word = divert},
    {.name = NULL},
};
