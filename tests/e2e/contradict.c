/* contradict: says two things with a validator's key.
 *
 * contradict KEY_FILE CHAIN_ID REPLICA MODE PORT...
 *
 * To each port of loopback in turn, about the height that the node works on;
 * REPLICA is the key's place in its set.  The first two under the validator's
 * own name, as its node does; the others under a fresh key:
 *
 *   votes      commits to two blocks
 *   changes    a commit, and a view change that forgets it
 *   evidence   what proves the same, found by the fresh key
 *   forged     evidence of which one signature is another's
 *   flood      evidence against that key and others, forged, many times
 *
 * Ends well when every node was still there behind it. */
#include "config.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/key_file.h"
#include "base/limits.h"
#include "p2p/frame.h"
#include "p2p/handshake.h"
#include "p2p/message.h"
#include "proto/codec.h"
#include "proto/evidence.h"
#include "proto/genesis.h"
#include "proto/signed.h"
#include "proto/vote.h"
#include "proto/wire.pb-c.h"
#include "proto/word.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define VISIT_MS    10000
#define FLOOD_COUNT 2000
#define OUT_MAX     ((size_t)16 << 20)

struct plan {
    struct key *key; /* whose words */
    struct hash chain;
    uint32_t replica;
    const char *mode;
};

struct visit {
    const struct plan *plan;
    int fd;
    struct key *self;
    struct frame_cipher sending;
    struct frame_reader receiving;
    struct buf out;
    uint64_t until_ms;
    bool is_over;
};

/* ---- the connection */

static int dial(uint16_t port)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
    };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    POT_ASSERT(fd >= 0);
    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static void flush(struct visit *v)
{
    while (!v->is_over && v->out.size > 0) {
        ssize_t n = send(v->fd, v->out.data, v->out.size, MSG_NOSIGNAL);
        if (n > 0) {
            buf_consume(&v->out, (size_t)n);
        } else {
            v->is_over = true;
        }
    }
    buf_clear(&v->out);
}

static size_t read_some(struct visit *v, uint8_t *bytes, size_t size)
{
    struct pollfd p = {.fd = v->fd, .events = POLLIN};
    if (v->is_over || poll(&p, 1, 100) <= 0) {
        return 0;
    }
    ssize_t n = recv(v->fd, bytes, size, 0);
    v->is_over = n <= 0;
    return n > 0 ? (size_t)n : 0;
}

static bool is_late(const struct visit *v)
{
    return v->is_over || clock_steady_ms() > v->until_ms;
}

static bool shake_hands(struct visit *v)
{
    uint8_t bytes[4096];
    const struct handshake_config config = {
        .chain = v->plan->chain, .key = v->self, .moniker = "stranger"};
    struct handshake *h = handshake_new(&config, &v->out);
    enum reason reason = REASON_NONE;
    flush(v);
    while (reason == REASON_NONE && !handshake_is_done(h) && !is_late(v)) {
        size_t size = read_some(v, bytes, sizeof(bytes));
        if (size > 0) {
            reason = handshake_input(h, &v->out, bytes, size);
            flush(v);
        }
    }
    bool is_done = handshake_is_done(h);
    if (is_done) {
        handshake_take(h, &v->sending, &v->receiving);
        frame_reader_limit(&v->receiving, FRAME_BYTES_MAX + FRAME_OVERHEAD);
    }
    handshake_free(h);
    return is_done;
}

static void say(struct visit *v, uint8_t type, const void *message)
{
    size_t size;
    uint8_t *data = codec_encode(&size, message);
    frame_seal(&v->sending, &v->out, type, data, size);
    free(data);
    flush(v);
}

/* Reads until a frame of this type comes; its body is borrowed. */
static bool hear(struct visit *v, uint8_t type, struct frame *frame)
{
    uint8_t bytes[16384];
    for (;;) {
        while (frame_reader_next(&v->receiving, frame) == REASON_NONE &&
               frame->body != NULL) {
            if (frame->type == type) {
                return true;
            }
        }
        if (is_late(v)) {
            return false;
        }
        size_t size = read_some(v, bytes, sizeof(bytes));
        frame_reader_feed(&v->receiving, bytes, size);
    }
}

/* The height that the node works on. */
static uint64_t hear_height(struct visit *v)
{
    struct frame frame;
    Pot__PeerStatus *status;
    uint64_t height = 0;
    if (hear(v, MESSAGE_STATUS, &frame) &&
        CODEC_DECODE(&status, pot__peer_status, frame.body, frame.size) ==
            POT_OK) {
        height = status->height + 1;
        codec_free(status);
    }
    return height;
}

/* The node answers a ping when it has read all that came before. */
static bool is_still_there(struct visit *v)
{
    struct frame frame;
    const uint8_t mark[8] = {1};
    frame_seal(&v->sending, &v->out, MESSAGE_PING, mark, sizeof(mark));
    flush(v);
    return hear(v, MESSAGE_PONG, &frame);
}

/* It may have hung up: when the key is in its set no more, what was said is a
 * breach. */
static bool is_listening(uint16_t port)
{
    int fd = dial(port);
    if (fd >= 0) {
        (void)close(fd);
    }
    return fd >= 0;
}

/* ---- what it says */

static void say_vote(struct visit *v, uint64_t height, uint8_t salt)
{
    struct signature signature;
    struct vote vote = {POT__PHASE__PHASE_COMMIT, height, 0, {{salt}}, 0};
    Pot__Vote inner = POT__VOTE__INIT;
    Pot__ConsensusMessage message = POT__CONSENSUS_MESSAGE__INIT;
    vote_sign(&signature, v->plan->key, &v->plan->chain, &vote);
    inner.phase = vote.phase;
    inner.height = height;
    inner.replica = v->plan->replica;
    inner.digest = codec_bytes(vote.digest.b, HASH_SIZE);
    inner.signature = codec_bytes(signature.b, SIGNATURE_SIZE);
    message.kind_case = POT__CONSENSUS_MESSAGE__KIND_COMMIT;
    message.commit = &inner;
    say(v, MESSAGE_CONSENSUS, &message);
}

/* A view far off, which nobody else wants: it moves nobody. */
static void say_change(struct visit *v, uint64_t height, uint64_t view)
{
    struct signature signature;
    struct word word = word_view_change(height, view, NULL);
    Pot__ViewChange inner = POT__VIEW_CHANGE__INIT;
    Pot__ConsensusMessage message = POT__CONSENSUS_MESSAGE__INIT;
    word_sign(&signature, v->plan->key, &v->plan->chain, &word);
    inner.height = height;
    inner.view = view;
    inner.replica = v->plan->replica;
    inner.signature = codec_bytes(signature.b, SIGNATURE_SIZE);
    message.kind_case = POT__CONSENSUS_MESSAGE__KIND_VIEW_CHANGE;
    message.view_change = &inner;
    say(v, MESSAGE_CONSENSUS, &message);
}

static void fill_word(Pot__SignedWord *word, struct vote *vote,
                      struct signature *signature, const struct plan *plan,
                      const struct key *signer)
{
    vote_sign(signature, signer, &plan->chain, vote);
    pot__signed_word__init(word);
    word->phase = vote->phase;
    word->view = vote->view;
    word->digest = codec_bytes(vote->digest.b, HASH_SIZE);
    word->signature = codec_bytes(signature->b, SIGNATURE_SIZE);
}

static void say_evidence(struct visit *v, uint64_t height, uint64_t view,
                         const struct key *second_signer)
{
    struct vote votes[2] = {
        {POT__PHASE__PHASE_COMMIT, height, view, {{1}}, 0},
        {POT__PHASE__PHASE_COMMIT, height, view, {{2}}, 0},
    };
    struct signature signatures[2];
    Pot__SignedWord words[2];
    Pot__EvidenceBody body = POT__EVIDENCE_BODY__INIT;
    fill_word(&words[0], &votes[0], &signatures[0], v->plan, v->plan->key);
    fill_word(&words[1], &votes[1], &signatures[1], v->plan, second_signer);
    body.validator = codec_bytes(key_public(v->plan->key)->b, PUBLIC_KEY_SIZE);
    body.height = height;
    body.first = &words[0];
    body.second = &words[1];
    evidence_order(&body);
    Pot__Signed *proof =
        signed_make(SIGNED_EVIDENCE, &v->plan->chain, v->self, &body);
    say(v, MESSAGE_EVIDENCE, proof);
    codec_free(proof);
}

static bool contradict(struct visit *v, uint64_t height)
{
    const char *mode = v->plan->mode;
    if (strcmp(mode, "votes") == 0) {
        say_vote(v, height, 1);
        say_vote(v, height, 2);
    } else if (strcmp(mode, "changes") == 0) {
        say_vote(v, height, 1);
        say_change(v, height, 1000);
    } else if (strcmp(mode, "evidence") == 0) {
        say_evidence(v, height, 0, v->plan->key);
    } else if (strcmp(mode, "forged") == 0) {
        say_evidence(v, height, 0, v->self);
    } else if (strcmp(mode, "flood") == 0) {
        for (uint64_t i = 0; i < FLOOD_COUNT && !v->is_over; i++) {
            say_evidence(v, height, i, v->self);
        }
    } else {
        return false;
    }
    return true;
}

static bool visit(const struct plan *plan, uint16_t port)
{
    struct visit v = {.plan = plan,
                      .fd = dial(port),
                      .until_ms = clock_steady_ms() + VISIT_MS};
    if (v.fd < 0) {
        return false;
    }
    /* Words of consensus are heard from validators only. */
    bool is_itself =
        strcmp(plan->mode, "votes") == 0 || strcmp(plan->mode, "changes") == 0;
    v.self = is_itself ? plan->key : key_generate();
    buf_init(&v.out, OUT_MAX);
    bool is_in = shake_hands(&v);
    uint64_t height = is_in ? hear_height(&v) : 0;
    bool is_good = height > 0 && contradict(&v, height) &&
                   (is_still_there(&v) || is_listening(port));
    if (is_good) {
        (void)printf("%s to port %u about height %llu\n", plan->mode,
                     (unsigned)port, (unsigned long long)height);
    }
    if (is_in) {
        frame_cipher_fini(&v.sending);
        frame_reader_fini(&v.receiving);
    }
    buf_fini(&v.out);
    if (!is_itself) {
        key_free(v.self);
    }
    (void)close(v.fd);
    return is_good;
}

int main(int argc, char **argv)
{
    struct plan plan = {.key = NULL};
    char why[KEY_FILE_WHY_SIZE];
    if (argc < 6 || sodium_init() < 0 ||
        key_file_load(&plan.key, argv[1], NULL, why) != POT_OK) {
        (void)fprintf(
            stderr,
            "usage: contradict KEY_FILE CHAIN_ID REPLICA MODE PORT...\n");
        return 2;
    }
    chain_id_hash(&plan.chain, argv[2]);
    plan.replica = (uint32_t)strtoul(argv[3], NULL, 10);
    plan.mode = argv[4];
    int status = 0;
    for (int i = 5; i < argc && status == 0; i++) {
        status = visit(&plan, (uint16_t)strtoul(argv[i], NULL, 10)) ? 0 : 1;
    }
    key_free(plan.key);
    return status;
}
