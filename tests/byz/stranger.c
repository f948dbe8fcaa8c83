/* stranger: a peer that knows the protocol and wants no good.
 *
 * stranger CHAIN_ID TASK_ID MODE PORT...
 *
 * Against each port of loopback in turn, under fresh keys, as often as it is
 * thrown out, up to a number of connections:
 *
 *   junk       every type of message, with random bodies
 *   votes      votes, proposals and view changes with forged signatures, for
 *              heights near and far
 *   rounds     submissions and attestations by keys that are nobody's
 *   spam       transactions that can never be executed
 *   status     claims a height beyond belief, and answers what is then asked
 *              of it with garbage, blobs too
 *   oversize   frames that are too long, and frames that never end
 *   flood      as many small messages as go through, without reading
 *   raw        bytes that are no handshake
 *   halfopen   200 connections that never say anything, held for a while
 *
 * Prints how many connections were made and how many the node ended. */
#include "config.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/key.h"
#include "base/limits.h"
#include "p2p/frame.h"
#include "p2p/handshake.h"
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
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define VISITS      4 /* connections a port and mode */
#define VISIT_MS    400
#define HALF_OPEN   200
#define FLOOD_COUNT 20000

static struct hash chain;
static struct hash task;
static unsigned visits;
static unsigned ended;

/* ---- what it says */

static void say_junk(struct visit *v)
{
    static const size_t sizes[] = {0, 1, 8, 60, 128, 1000, 66000};
    uint8_t *body = pot_alloc(66000);
    uint8_t type =
        (uint8_t)(randombytes_uniform(4) > 0 ? 16 + randombytes_uniform(9)
                                             : randombytes_uniform(256));
    size_t size = sizes[randombytes_uniform(7)];
    randombytes_buf(body, size);
    visit_say(v, type, body, size);
    free(body);
}

static uint64_t some_height(void)
{
    static const uint64_t far[] = {0, UINT64_MAX, (uint64_t)1 << 40, 1 << 20};
    return randombytes_uniform(2) > 0 ? randombytes_uniform(200)
                                      : far[randombytes_uniform(4)];
}

static uint32_t some_replica(void)
{
    return randombytes_uniform(4) > 0 ? randombytes_uniform(4)
                                      : randombytes_random();
}

static void fill_vote(Pot__Vote *vote, Pot__Phase phase, uint8_t bytes[96])
{
    randombytes_buf(bytes, 96);
    vote->phase = phase;
    vote->height = some_height();
    vote->view = randombytes_uniform(2) > 0 ? 0 : some_height();
    vote->replica = some_replica();
    vote->digest = codec_bytes(bytes, HASH_SIZE);
    vote->signature = codec_bytes(bytes + 32, SIGNATURE_SIZE);
}

static void say_view_change(struct visit *v, bool is_new_view)
{
    uint8_t bytes[64];
    Pot__ConsensusMessage message = POT__CONSENSUS_MESSAGE__INIT;
    Pot__ViewChange change = POT__VIEW_CHANGE__INIT;
    Pot__NewView view = POT__NEW_VIEW__INIT;
    Pot__ViewChange *changes[] = {&change, &change, &change};
    randombytes_buf(bytes, sizeof(bytes));
    change.height = some_height();
    change.view = some_height();
    change.replica = some_replica();
    change.signature = codec_bytes(bytes, SIGNATURE_SIZE);
    view.height = change.height;
    view.view = change.view;
    view.replica = some_replica();
    view.signature = change.signature;
    view.view_changes = changes;
    view.n_view_changes = 3;
    if (is_new_view) {
        message.kind_case = POT__CONSENSUS_MESSAGE__KIND_NEW_VIEW;
        message.new_view = &view;
    } else {
        message.kind_case = POT__CONSENSUS_MESSAGE__KIND_VIEW_CHANGE;
        message.view_change = &change;
    }
    visit_say_message(v, MESSAGE_CONSENSUS, &message);
}

static void say_proposal(struct visit *v, bool is_asked_for)
{
    uint8_t bytes[96];
    uint8_t block[500];
    Pot__ConsensusMessage message = POT__CONSENSUS_MESSAGE__INIT;
    Pot__PrePrepare pre_prepare = POT__PRE_PREPARE__INIT;
    Pot__BlockReply reply = POT__BLOCK_REPLY__INIT;
    Pot__Vote vote = POT__VOTE__INIT;
    randombytes_buf(block, sizeof(block));
    fill_vote(&vote, POT__PHASE__PHASE_PRE_PREPARE, bytes);
    pre_prepare.vote = &vote;
    pre_prepare.block = codec_bytes(block, sizeof(block));
    reply.height = vote.height;
    reply.block = pre_prepare.block;
    if (is_asked_for) {
        message.kind_case = POT__CONSENSUS_MESSAGE__KIND_BLOCK_REPLY;
        message.block_reply = &reply;
    } else {
        message.kind_case = POT__CONSENSUS_MESSAGE__KIND_PRE_PREPARE;
        message.pre_prepare = &pre_prepare;
    }
    visit_say_message(v, MESSAGE_CONSENSUS, &message);
}

static void say_vote(struct visit *v)
{
    uint8_t bytes[96];
    Pot__ConsensusMessage message = POT__CONSENSUS_MESSAGE__INIT;
    Pot__Vote vote = POT__VOTE__INIT;
    bool is_commit = randombytes_uniform(2) > 0;
    fill_vote(&vote,
              is_commit ? POT__PHASE__PHASE_COMMIT : POT__PHASE__PHASE_PREPARE,
              bytes);
    if (is_commit) {
        message.kind_case = POT__CONSENSUS_MESSAGE__KIND_COMMIT;
        message.commit = &vote;
    } else {
        message.kind_case = POT__CONSENSUS_MESSAGE__KIND_PREPARE;
        message.prepare = &vote;
    }
    visit_say_message(v, MESSAGE_CONSENSUS, &message);
}

static void say_forged_consensus(struct visit *v)
{
    uint8_t bytes[HASH_SIZE];
    Pot__ConsensusMessage message = POT__CONSENSUS_MESSAGE__INIT;
    Pot__BlockRequest request = POT__BLOCK_REQUEST__INIT;
    switch (randombytes_uniform(6)) {
    case 0:
        randombytes_buf(bytes, sizeof(bytes));
        request.height = some_height();
        request.digest = codec_bytes(bytes, HASH_SIZE);
        message.kind_case = POT__CONSENSUS_MESSAGE__KIND_BLOCK_REQUEST;
        message.block_request = &request;
        visit_say_message(v, MESSAGE_CONSENSUS, &message);
        break;
    case 1:
        say_view_change(v, false);
        break;
    case 2:
        say_view_change(v, true);
        break;
    case 3:
        say_proposal(v, false);
        break;
    case 4:
        say_proposal(v, true);
        break;
    default:
        say_vote(v);
        break;
    }
}

/* Well signed, by a key that has no say. */
static void say_round(struct visit *v)
{
    uint8_t bytes[HASH_SIZE];
    Pot__SubmissionBody submission = POT__SUBMISSION_BODY__INIT;
    Pot__AttestationBody attestation = POT__ATTESTATION_BODY__INIT;
    bool is_submission = randombytes_uniform(2) > 0;
    char core[] = "Haswell";
    randombytes_buf(bytes, sizeof(bytes));
    submission.task =
        codec_bytes(randombytes_uniform(2) > 0 ? bytes : task.b, HASH_SIZE);
    submission.round = randombytes_uniform(100);
    submission.parameters_hash = codec_bytes(bytes, HASH_SIZE);
    submission.payload_hash = codec_bytes(bytes, HASH_SIZE);
    submission.payload_bytes =
        randombytes_uniform(2) > 0 ? 3000 : UINT64_MAX / 2;
    submission.rows = 256;
    submission.blas_core = core;
    submission.workers = 1;
    submission.salt = codec_bytes(bytes, HASH_SIZE);
    attestation.task = submission.task;
    attestation.round = submission.round;
    attestation.sequence = UINT32_MAX;
    Pot__Signed *message =
        is_submission
            ? signed_make(SIGNED_SUBMISSION, &chain, v->key, &submission)
            : signed_make(SIGNED_ATTESTATION, &chain, v->key, &attestation);
    visit_say_message(
        v, is_submission ? MESSAGE_SUBMISSION : MESSAGE_ATTESTATION, message);
    codec_free(message);
}

/* A transfer by a key that owns nothing, with a nonce far ahead: nobody can
 * ever put it into a block. */
static void say_spam(struct visit *v)
{
    Pot__Transfer transfer = POT__TRANSFER__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    transfer.to = codec_bytes(key_public(v->key)->b, PUBLIC_KEY_SIZE);
    transfer.amount = 1;
    body.chain_id = codec_bytes(chain.b, HASH_SIZE);
    body.nonce = 1 + randombytes_random();
    body.fee = UINT64_C(1000000000);
    body.action_case = POT__TX_BODY__ACTION_TRANSFER;
    body.transfer = &transfer;
    Pot__Signed *message = signed_make(SIGNED_TX, &chain, v->key, &body);
    visit_say_message(v, MESSAGE_TX, message);
    codec_free(message);
}

static void claim_height(struct visit *v)
{
    uint8_t bytes[HASH_SIZE];
    Pot__PeerStatus status = POT__PEER_STATUS__INIT;
    randombytes_buf(bytes, sizeof(bytes));
    status.height =
        randombytes_uniform(2) > 0 ? UINT64_MAX - 1 : (uint64_t)1 << 33;
    status.block_hash = codec_bytes(bytes, HASH_SIZE);
    status.view = UINT64_MAX;
    visit_say_message(v, MESSAGE_STATUS, &status);
}

static void answer_blocks(struct visit *v, const struct frame *frame)
{
    uint8_t junk[300];
    Pot__GetBlocks *asked = NULL;
    Pot__Blocks blocks = POT__BLOCKS__INIT;
    Pot__SyncBlock block = POT__SYNC_BLOCK__INIT;
    Pot__SyncBlock *list[] = {&block, &block};
    if (CODEC_DECODE(&asked, pot__get_blocks, frame->body, frame->size) !=
        POT_OK) {
        return;
    }
    randombytes_buf(junk, sizeof(junk));
    block.block = codec_bytes(junk, sizeof(junk));
    block.certificate = codec_bytes(junk, 100);
    blocks.from = asked->from;
    blocks.blocks = list;
    blocks.n_blocks = 2;
    visit_say_message(v, MESSAGE_BLOCKS, &blocks);
    codec_free(asked);
}

static void answer_blob(struct visit *v, const struct frame *frame)
{
    uint8_t junk[3000];
    Pot__GetBlob *asked = NULL;
    Pot__BlobPiece piece = POT__BLOB_PIECE__INIT;
    if (CODEC_DECODE(&asked, pot__get_blob, frame->body, frame->size) !=
        POT_OK) {
        return;
    }
    randombytes_buf(junk, sizeof(junk));
    piece.hash = asked->hash;
    piece.offset = asked->offset;
    piece.total = asked->offset + sizeof(junk);
    piece.data = codec_bytes(junk, sizeof(junk));
    visit_say_message(v, MESSAGE_BLOB_PIECE, &piece);
    codec_free(asked);
}

/* Reads for a while and answers what it is asked. */
static void listen_a_while(struct visit *v)
{
    uint8_t bytes[16384];
    struct frame frame;
    size_t size = visit_read(v, bytes, sizeof(bytes), PATIENCE_MS);
    if (size == 0) {
        return;
    }
    frame_reader_feed(&v->receiving, bytes, size);
    while (frame_reader_next(&v->receiving, &frame) == REASON_NONE &&
           frame.body != NULL) {
        if (frame.type == MESSAGE_GET_BLOCKS) {
            answer_blocks(v, &frame);
        } else if (frame.type == MESSAGE_GET_BLOB) {
            answer_blob(v, &frame);
        } else if (frame.type == MESSAGE_PING) {
            visit_say(v, MESSAGE_PONG, frame.body, frame.size);
        }
    }
}

static void say_oversize(struct visit *v)
{
    uint8_t header[FRAME_HEADER_SIZE] = {0};
    bool is_too_long = randombytes_uniform(2) > 0;
    memset(header, is_too_long ? 0xff : 0, sizeof(header));
    header[2] = 0x10; /* else a megabyte, of which little follows */
    buf_append(&v->out, header, sizeof(header));
    buf_append(&v->out, header, sizeof(header));
}

static void say_flood(struct visit *v)
{
    uint8_t bytes[200];
    Pot__GetBlocks blocks = POT__GET_BLOCKS__INIT;
    Pot__GetBlob blob = POT__GET_BLOB__INIT;
    uint32_t kind = randombytes_uniform(4);
    blocks.from = 1;
    blocks.count = 64;
    randombytes_buf(bytes, sizeof(bytes));
    blob.hash = codec_bytes(bytes, HASH_SIZE);
    for (size_t i = 0; i < FLOOD_COUNT && !v->is_over; i++) {
        memcpy(bytes, &i, sizeof(i));
        if (kind == 0) {
            visit_say(v, MESSAGE_PING, bytes, 8);
        } else if (kind == 1) {
            visit_say_message(v, MESSAGE_GET_BLOCKS, &blocks);
        } else if (kind == 2) {
            visit_say_message(v, MESSAGE_GET_BLOB, &blob);
        } else {
            visit_say(v, MESSAGE_TX, bytes, sizeof(bytes));
        }
    }
}

/* ---- visits */

struct mode {
    const char *name;
    void (*say)(struct visit *v);
    unsigned times; /* before it listens */
    bool is_deaf;
};

static const struct mode modes[] = {
    {"junk", say_junk, 1, false},
    {"votes", say_forged_consensus, 50, false},
    {"rounds", say_round, 50, false},
    {"spam", say_spam, 50, false},
    {"status", claim_height, 1, false},
    {"oversize", say_oversize, 1, false},
    {"flood", say_flood, 1, true},
};

static void count(const struct visit *v)
{
    visits++;
    ended += v->is_over ? 1 : 0;
}

static void visit(const struct mode *mode, uint16_t port)
{
    struct visit v;
    visit_init(&v, &chain, VISIT_MS);
    v.fd = visit_dial(port);
    if (v.fd >= 0) {
        v.key = key_generate();
        bool is_in = visit_shake_hands(&v);
        while (is_in && !v.is_over && clock_steady_ms() < v.until_ms) {
            for (unsigned i = 0; i < mode->times; i++) {
                mode->say(&v);
            }
            visit_flush(&v);
            if (!mode->is_deaf) {
                listen_a_while(&v);
            }
        }
        count(&v);
    }
    visit_fini(&v);
}

static void visit_raw(uint16_t port)
{
    uint8_t bytes[5000];
    struct visit v;
    visit_init(&v, &chain, VISIT_MS);
    v.fd = visit_dial(port);
    if (v.fd >= 0) {
        randombytes_buf(bytes, sizeof(bytes));
        if (randombytes_uniform(2) > 0) {
            memcpy(bytes, HANDSHAKE_MAGIC, 4);
        }
        buf_append(&v.out, bytes, 1 + randombytes_uniform(sizeof(bytes) - 1));
        visit_flush(&v);
        (void)visit_read(&v, bytes, sizeof(bytes), PATIENCE_MS);
        count(&v);
    }
    visit_fini(&v);
}

static void hold_half_open(uint16_t port)
{
    int fds[HALF_OPEN];
    const struct timespec wait = {.tv_sec = 2};
    for (size_t i = 0; i < HALF_OPEN; i++) {
        fds[i] = visit_dial(port);
    }
    (void)nanosleep(&wait, NULL); /* holding them is the attack */
    for (size_t i = 0; i < HALF_OPEN; i++) {
        if (fds[i] < 0) {
            continue;
        }
        char byte;
        visits++;
        ended += recv(fds[i], &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0 ? 1 : 0;
        (void)close(fds[i]);
    }
}

static bool attack(const char *name, uint16_t port)
{
    bool is_raw = strcmp(name, "raw") == 0;
    if (strcmp(name, "halfopen") == 0) {
        hold_half_open(port);
        return true;
    }
    for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
        if (!is_raw && strcmp(modes[i].name, name) != 0) {
            continue;
        }
        for (unsigned j = 0; j < VISITS; j++) {
            if (is_raw) {
                visit_raw(port);
            } else {
                visit(&modes[i], port);
            }
        }
        return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    (void)signal(SIGPIPE, SIG_IGN);
    if (argc < 5 || sodium_init() < 0 || hash_parse(&task, argv[2]) != POT_OK) {
        (void)fprintf(stderr,
                      "usage: stranger CHAIN_ID TASK_ID MODE PORT...\n");
        return 2;
    }
    chain_id_hash(&chain, argv[1]);
    for (int i = 4; i < argc; i++) {
        if (!attack(argv[3], (uint16_t)strtoul(argv[i], NULL, 10))) {
            (void)fprintf(stderr, "stranger: no mode %s\n", argv[3]);
            return 2;
        }
    }
    (void)printf("%s: %u connections, the node ended %u\n", argv[3], visits,
                 ended);
    return visits > 0 ? 0 : 1;
}
