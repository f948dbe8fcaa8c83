/* sign_frame: what a node and its signer say to each other, over a Unix socket.
 *
 * A question is  u32 size | u8 tag | 32 chain | message,  size being that of
 * what follows it; an answer  u8 verdict | 64 bytes: the signature, for
 * SIGN_HELLO the public key and 32 zero bytes, for a refusal zero.  Answers
 * come in the order of the questions.  Little-endian. */
#ifndef POT_PROTO_SIGN_FRAME_H
#define POT_PROTO_SIGN_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/key.h"

#define SIGN_MESSAGE_MAX  65536
#define SIGN_HEADER_SIZE  (4 + 1 + HASH_SIZE)
#define SIGN_QUESTION_MAX (SIGN_HEADER_SIZE + SIGN_MESSAGE_MAX)
#define SIGN_ANSWER_SIZE  (1 + SIGNATURE_SIZE)

/* X(tag, what): what as key_sign's.  The order is that of the wire.  A
 * signer signs nothing else: no transaction and no submission. */
#define SIGN_TAG_MAP(X)                                                        \
    X(SIGN_HELLO, "hello") /* whose signer it is; signs nothing */             \
    X(SIGN_VOTE, "vote")                                                       \
    X(SIGN_VIEW_CHANGE, "view-change")                                         \
    X(SIGN_NEW_VIEW, "new-view")                                               \
    X(SIGN_SUSPICION, "suspicion")                                             \
    X(SIGN_PEER_AUTH, "peer-auth")                                             \
    X(SIGN_ATTESTATION, "attestation")                                         \
    X(SIGN_EVIDENCE, "evidence")                                               \
    X(SIGN_DRAWS, "draws") /* the secret behind a task's links: proto/draw.h   \
                            */                                                 \
    X(SIGN_GROUP_WORD, "group-word")

enum sign_tag {
#define X(tag, what) tag,
    SIGN_TAG_MAP(X)
#undef X
        SIGN_TAGS
};

/* X(verdict, text): text for people.  The order is that of the wire. */
#define SIGN_VERDICT_MAP(X)                                                    \
    X(SIGN_DONE, "signed")                                                     \
    X(SIGN_MALFORMED, "the message is none of its kind")                       \
    X(SIGN_OTHER_CHAIN, "the signer is for another chain")                     \
    X(SIGN_BEHIND, "the key has signed at a later height, view or phase")      \
    X(SIGN_CONTRADICTS, "the key has signed another one in its place")         \
    X(SIGN_FORGETS, "the key has committed at this height, and the view"       \
                    " change brings no certificate")                           \
    X(SIGN_NOT_STORED, "the signer could not write its state")

enum sign_verdict {
#define X(verdict, text) verdict,
    SIGN_VERDICT_MAP(X)
#undef X
        SIGN_VERDICTS
};

/* sign_tag_what: static.  sign_tag_find: false: it is signed by no signer. */
const char *sign_tag_what(enum sign_tag tag);
bool sign_tag_find(enum sign_tag *out, const char *what);
const char *sign_verdict_text(enum sign_verdict verdict);

struct sign_question {
    enum sign_tag tag;
    struct hash chain;
    const uint8_t *message;
    size_t size; /* at most SIGN_MESSAGE_MAX */
};

/* sign_question_write: returns how many bytes. */
size_t sign_question_write(uint8_t out[static SIGN_QUESTION_MAX],
                           const struct sign_question *question);

/* sign_question_view: the first question in data, which it borrows.  *used: its
 * bytes; 0: it is not whole yet.  False: it is none, and no later byte makes
 * it one. */
POT_MUST_USE bool sign_question_view(struct sign_question *out, size_t *used,
                                     const uint8_t *data, size_t size);

/* sign_answer_write, sign_answer_read: false: it is none. */
void sign_answer_write(uint8_t out[static SIGN_ANSWER_SIZE],
                       enum sign_verdict verdict,
                       const struct signature *signature);
POT_MUST_USE bool sign_answer_read(enum sign_verdict *verdict,
                                   struct signature *signature,
                                   const uint8_t data[static SIGN_ANSWER_SIZE]);

#endif
