/* misfit: every fault that a message can have.
 *
 * misfit CHAIN_ID KEY_FILE PORT
 *
 * For each type of message, each kind of it and each field in it, as their
 * descriptors tell: the field left out, empty, too long, its greatest value,
 * of another wire type, twice.  Then each body under every other type, and
 * bombs: what is small on the wire and would be large in memory.  Consensus
 * messages go under the key of the file, a validator's; all others under keys
 * of no account, well signed where they are signed.
 *
 * After each the node must answer a ping or hang up; then the next, over a new
 * connection if need be.  Prints how many there were; fails when the node lets
 * nobody in any more. */
#include "config.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/key_file.h"
#include "base/limits.h"
#include "p2p/message.h"
#include "proto/chain.pb-c.h"
#include "proto/codec.h"
#include "proto/consensus.pb-c.h"
#include "proto/genesis.h"
#include "proto/signed.h"
#include "proto/wire.pb-c.h"
#include "tests/byz/visit.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DEPTH_MAX  8
#define LONG_SIZE  1000
#define PATIENT_MS 15000 /* for an answer, or to be let in */

enum fault {
    FAULT_NONE,
    FAULT_MISSING,
    FAULT_EMPTY,
    FAULT_LONG,
    FAULT_GREATEST,
    FAULT_WIRE_TYPE,
    FAULT_TWICE,
    FAULT_COUNT
};

static struct hash chain;
static const char *key_file;
static uint16_t port;
static struct visit visit;
static bool is_visiting;
static bool is_validator;
static unsigned said;
static unsigned hung_up;

/* ---- bodies, field by field */

struct level { /* a message in another one */
    const ProtobufCMessageDescriptor *type;
    unsigned field;
    struct buf bytes;
};

struct body {
    struct level levels[DEPTH_MAX];
    size_t depth;
    unsigned visited; /* fields, all levels together */
    unsigned faulty;  /* which of them */
    enum fault fault;
    unsigned kind; /* which member of each oneof */
};

static void put_varint(struct buf *out, uint64_t value)
{
    do {
        uint8_t byte = (uint8_t)(value & 127) | (value > 127 ? 128 : 0);
        buf_append(out, &byte, 1);
        value >>= 7;
    } while (value > 0);
}

static void put_bytes(struct buf *out, uint32_t number, const void *data,
                      size_t size)
{
    put_varint(out, (uint64_t)number << 3 | 2);
    put_varint(out, size);
    buf_append(out, data, size);
}

static bool is_varint(const ProtobufCFieldDescriptor *field)
{
    return field->type != PROTOBUF_C_TYPE_BYTES &&
           field->type != PROTOBUF_C_TYPE_STRING;
}

static void put_value(struct buf *out, const ProtobufCFieldDescriptor *field,
                      enum fault fault)
{
    static const uint8_t value[LONG_SIZE] = "x";
    size_t size = strcmp(field->name, "signature") == 0 ? 64 : 32;
    size = fault == FAULT_EMPTY ? 0 : fault == FAULT_LONG ? LONG_SIZE : size;
    if (is_varint(field) != (fault == FAULT_WIRE_TYPE)) {
        put_varint(out, (uint64_t)field->id << 3);
        put_varint(out, fault == FAULT_GREATEST || fault == FAULT_LONG
                            ? UINT64_MAX
                            : fault != FAULT_EMPTY);
    } else {
        put_bytes(out, field->id, value, size);
    }
}

/* The first members of its oneof is taken, or the kind-th. */
static bool is_chosen(const struct body *b,
                      const ProtobufCMessageDescriptor *type, unsigned index)
{
    const ProtobufCFieldDescriptor *field = &type->fields[index];
    unsigned members = 0;
    unsigned own = 0;
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0) {
        return true;
    }
    for (unsigned i = 0; i < type->n_fields; i++) {
        if (type->fields[i].quantifier_offset == field->quantifier_offset) {
            own = i == index ? members : own;
            members++;
        }
    }
    return own == b->kind % members;
}

static void enter(struct body *b, const ProtobufCMessageDescriptor *type)
{
    struct level *level = &b->levels[b->depth++];
    level->type = type;
    level->field = 0;
    buf_init(&level->bytes, FRAME_BYTES_MAX);
}

/* The innermost message is complete: it goes into the one around it. */
static void leave(struct body *b)
{
    struct level *inner = &b->levels[--b->depth];
    struct level *outer = &b->levels[b->depth - 1];
    put_bytes(&outer->bytes, outer->type->fields[outer->field].id,
              inner->bytes.data, inner->bytes.size);
    outer->field++;
    buf_fini(&inner->bytes);
}

static void put_field(struct body *b)
{
    struct level *level = &b->levels[b->depth - 1];
    const ProtobufCFieldDescriptor *field = &level->type->fields[level->field];
    enum fault fault = FAULT_NONE;
    if (!is_chosen(b, level->type, level->field)) {
        level->field++;
        return;
    }
    fault = b->visited++ == b->faulty ? b->fault : FAULT_NONE;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE && fault == FAULT_NONE &&
        b->depth < DEPTH_MAX) {
        enter(b, field->descriptor);
        return;
    }
    if (fault != FAULT_MISSING) {
        put_value(&level->bytes, field, fault);
    }
    if (fault == FAULT_TWICE) {
        put_value(&level->bytes, field, fault);
    }
    level->field++;
}

/* Into out, which is initialised; how many fields there were. */
static unsigned make_body(struct buf *out,
                          const ProtobufCMessageDescriptor *type, unsigned kind,
                          unsigned faulty, enum fault fault)
{
    struct body b = {.kind = kind, .faulty = faulty, .fault = fault};
    enter(&b, type);
    while (true) {
        struct level *level = &b.levels[b.depth - 1];
        if (level->field < level->type->n_fields) {
            put_field(&b);
        } else if (b.depth > 1) {
            leave(&b);
        } else {
            break;
        }
    }
    *out = b.levels[0].bytes;
    return b.visited;
}

/* ---- the node */

static bool come_in(bool as_validator)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    uint64_t until_ms = clock_steady_ms() + PATIENT_MS;
    while (clock_steady_ms() < until_ms) {
        visit_init(&visit, &chain, PATIENT_MS);
        visit.fd = visit_dial(port);
        if (as_validator) {
            char why[KEY_FILE_WHY_SIZE];
            enum pot_err err = key_file_load(&visit.key, key_file, NULL, why);
            POT_ASSERT(err == POT_OK);
        } else {
            visit.key = key_generate();
        }
        if (visit.fd >= 0 && visit_shake_hands(&visit)) {
            is_visiting = true;
            is_validator = as_validator;
            return true;
        }
        visit_fini(&visit);
        (void)nanosleep(&pause, NULL); /* it is banned for as long */
    }
    return false;
}

static void go(void)
{
    if (is_visiting) {
        hung_up += visit.is_over ? 1 : 0;
        visit_fini(&visit);
        is_visiting = false;
    }
}

/* Whether the node has answered the ping of this mark. */
static bool is_answered(uint64_t mark)
{
    struct frame frame;
    bool is_found = false;
    while (frame_reader_next(&visit.receiving, &frame) == REASON_NONE &&
           frame.body != NULL) {
        is_found = is_found ||
                   (frame.type == MESSAGE_PONG && frame.size == sizeof(mark) &&
                    memcmp(frame.body, &mark, sizeof(mark)) == 0);
        if (frame.type == MESSAGE_PING) {
            visit_say(&visit, MESSAGE_PONG, frame.body, frame.size);
            visit_flush(&visit);
        }
    }
    return is_found;
}

static void await_answer(void)
{
    static uint8_t bytes[65536];
    static uint64_t mark;
    mark++;
    visit_say(&visit, MESSAGE_PING, &mark, sizeof(mark));
    visit_flush(&visit);
    visit.until_ms = clock_steady_ms() + PATIENT_MS;
    while (!visit.is_over && clock_steady_ms() < visit.until_ms) {
        size_t size = visit_read(&visit, bytes, sizeof(bytes), PATIENCE_MS);
        if (size > 0) {
            frame_reader_feed(&visit.receiving, bytes, size);
            if (is_answered(mark)) {
                return;
            }
        }
    }
    if (!visit.is_over) {
        (void)fprintf(stderr, "misfit: the node neither answers nor ends\n");
        exit(1);
    }
}

static void say(enum message_type type, const struct buf *body)
{
    bool as_validator = type == MESSAGE_CONSENSUS;
    if (is_visiting && (visit.is_over || is_validator != as_validator)) {
        go();
    }
    if (!is_visiting && !come_in(as_validator)) {
        (void)fprintf(stderr, "misfit: the node lets nobody in\n");
        exit(1);
    }
    visit_say(&visit, (uint8_t)type, body->data, body->size);
    visit_flush(&visit);
    await_answer();
    said++;
}

/* ---- what is said */

struct form {
    enum message_type type;
    const ProtobufCMessageDescriptor *body;
    const char *signed_as; /* NULL: body is all; else it stands in a Signed */
    unsigned kinds;
};

static const struct form forms[] = {
    {MESSAGE_CONSENSUS, &pot__consensus_message__descriptor, NULL, 16},
    {MESSAGE_TX, &pot__signed__descriptor, NULL, 1},
    {MESSAGE_TX, &pot__tx_body__descriptor, SIGNED_TX, 16},
    {MESSAGE_SUBMISSION, &pot__submission_body__descriptor, SIGNED_SUBMISSION,
     1},
    {MESSAGE_COMMITMENT, &pot__commitment_body__descriptor, SIGNED_COMMITMENT,
     1},
    {MESSAGE_ATTESTATION, &pot__attestation_body__descriptor,
     SIGNED_ATTESTATION, 1},
    {MESSAGE_GROUP, &pot__group_body__descriptor, SIGNED_GROUP, 1},
    {MESSAGE_GROUP_WORD, &pot__group_word_body__descriptor, SIGNED_GROUP_WORD,
     1},
    {MESSAGE_EVIDENCE, &pot__evidence_body__descriptor, SIGNED_EVIDENCE, 1},
    {MESSAGE_STATUS, &pot__peer_status__descriptor, NULL, 1},
    {MESSAGE_GET_BLOCKS, &pot__get_blocks__descriptor, NULL, 1},
    {MESSAGE_BLOCKS, &pot__blocks__descriptor, NULL, 1},
    {MESSAGE_GET_BLOB, &pot__get_blob__descriptor, NULL, 1},
    {MESSAGE_BLOB_PIECE, &pot__blob_piece__descriptor, NULL, 1},
};

#define FORMS (sizeof(forms) / sizeof(*forms))

/* body becomes the Signed around it. */
static void sign(struct buf *body, const char *what)
{
    struct signature signature;
    struct key *key = key_generate();
    struct buf out;
    buf_init(&out, FRAME_BYTES_MAX);
    key_sign(&signature, key, what, &chain, body->data, body->size);
    put_bytes(&out, 1, body->data, body->size);
    put_bytes(&out, 2, key_public(key)->b, PUBLIC_KEY_SIZE);
    put_bytes(&out, 3, signature.b, SIGNATURE_SIZE);
    key_free(key);
    buf_fini(body);
    *body = out;
}

static unsigned make(struct buf *out, const struct form *form, unsigned kind,
                     unsigned faulty, enum fault fault)
{
    unsigned fields = make_body(out, form->body, kind, faulty, fault);
    if (form->signed_as != NULL) {
        sign(out, form->signed_as);
    }
    return fields;
}

static void say_faults(const struct form *form, unsigned kind)
{
    unsigned fields = 1;
    struct buf body;
    for (unsigned field = 0; field < fields; field++) {
        for (enum fault f = FAULT_MISSING; f < FAULT_COUNT; f++) {
            fields = make(&body, form, kind, field, f);
            say(form->type, &body);
            buf_fini(&body);
        }
    }
}

/* The right body under another type. */
static void say_mixed(void)
{
    struct buf body;
    for (size_t i = 0; i < FORMS; i++) {
        for (size_t j = 0; j < FORMS; j++) {
            (void)make(&body, &forms[i], 0, UINT32_MAX, FAULT_NONE);
            say(forms[j].type, &body);
            buf_fini(&body);
        }
    }
}

/* As many as fit of one small thing, in a message of the kind given. */
static void say_bomb(enum message_type type, const char *head, size_t head_size,
                     const char *piece, size_t piece_size)
{
    struct buf many;
    struct buf body;
    size_t size_max = message_rule((uint8_t)type)->size_max - 64;
    buf_init(&many, FRAME_BYTES_MAX);
    buf_init(&body, FRAME_BYTES_MAX);
    while (many.size + piece_size <= size_max) {
        buf_append(&many, piece, piece_size);
    }
    buf_append(&body, head, head_size);
    if (head_size > 0) {
        put_varint(&body, many.size);
    }
    buf_append(&body, many.data, many.size);
    say(type, &body);
    buf_fini(&many);
    buf_fini(&body);
}

#define BOMB(type, head, piece)                                                \
    say_bomb(type, head, sizeof(head) - 1, piece, sizeof(piece) - 1)

static void say_bombs(void)
{
    BOMB(MESSAGE_CONSENSUS, "\x2a", "\x1a\x00"); /* empty view changes */
    BOMB(MESSAGE_CONSENSUS, "\x2a", "\x1a\x02\x1a\x00"); /* with certificates */
    BOMB(MESSAGE_CONSENSUS, "\x22", "\x1a\x00");
    BOMB(MESSAGE_CONSENSUS, "", "\x12\x00"); /* one kind, again and again */
    BOMB(MESSAGE_CONSENSUS, "", "\x2a\x7f"); /* one in another */
    BOMB(MESSAGE_BLOCKS, "", "\x12\x00");
    BOMB(MESSAGE_BLOCKS, "", "\x12\x04\x0a\x00\x12\x00");
    BOMB(MESSAGE_ATTESTATION, "\x0a", "\x22\x00");
    BOMB(MESSAGE_TX, "\x0a", "\x1a\x00");
    BOMB(MESSAGE_TX, "", "\xff\x0f\x00"); /* unknown fields */
}

int main(int argc, char **argv)
{
    (void)signal(SIGPIPE, SIG_IGN);
    if (argc != 4 || sodium_init() < 0) {
        (void)fprintf(stderr, "usage: misfit CHAIN_ID KEY_FILE PORT\n");
        return 2;
    }
    chain_id_hash(&chain, argv[1]);
    key_file = argv[2];
    port = (uint16_t)strtoul(argv[3], NULL, 10);
    for (size_t i = 0; i < FORMS; i++) {
        for (unsigned kind = 0; kind < forms[i].kinds; kind++) {
            say_faults(&forms[i], kind);
        }
    }
    say_mixed();
    say_bombs();
    go();
    (void)printf("%u misfits, the node ended %u connections\n", said, hung_up);
    return 0;
}
