/* States, and what moves them:
 *
 *   HELLO --hello_input--> AUTH --auth_input--> DONE
 *
 * Any refusal ends in FAILED: nothing is read after it. */
#include "config.h"

#include "p2p/handshake.h"

#include "base/bytes.h"
#include "base/check.h"
#include "p2p/message.h"

#include <sodium.h>
#include <string.h>

#define MARK_SIZE      8
#define EPHEMERAL_SIZE crypto_scalarmult_BYTES
#define CHALLENGE_SIZE 32
#define HELLO_FIXED    (HANDSHAKE_HELLO_SIZE - EPHEMERAL_SIZE)

enum handshake_state {
    HANDSHAKE_HELLO,
    HANDSHAKE_AUTH,
    HANDSHAKE_DONE,
    HANDSHAKE_FAILED,
};

struct handshake {
    enum handshake_state state;
    struct hash chain;
    const struct key *key;
    uint64_t instance;
    char moniker[TX_TEXT_MAX + 1];
    bool has_expected;
    struct public_key expected;
    uint8_t secret[crypto_scalarmult_SCALARBYTES];
    uint8_t hello[HANDSHAKE_HELLO_SIZE];      /* ours */
    uint8_t peer_hello[HANDSHAKE_HELLO_SIZE]; /* theirs, as it comes in */
    size_t peer_hello_size;
    uint8_t challenge[CHALLENGE_SIZE];
    bool is_lower; /* our ephemeral key is the lower one */
    struct frame_cipher sending;
    struct frame_reader receiving; /* initialised from AUTH on */
    bool is_known;                 /* peer is proven */
    struct public_key peer;
    uint64_t peer_instance;
    char peer_moniker[TX_TEXT_MAX + 1];
};

static const uint8_t *ephemeral_of(const uint8_t hello[HANDSHAKE_HELLO_SIZE])
{
    return hello + HELLO_FIXED;
}

/* Tells chains apart in the clear, so that a wrong genesis file shows as what
 * it is; what protects is the chain id in the transcript. */
static void chain_mark(uint8_t mark[static MARK_SIZE], const struct hash *chain)
{
    struct hash h;
    hash_bytes(&h, "chain-mark", chain->b, HASH_SIZE);
    memcpy(mark, h.b, MARK_SIZE);
}

static void hello_make(struct handshake *h)
{
    uint8_t mark[MARK_SIZE];
    uint8_t ephemeral[EPHEMERAL_SIZE];
    struct bytes_writer w;
    int rc = crypto_scalarmult_base(ephemeral, h->secret);
    POT_ASSERT(rc == 0);
    chain_mark(mark, &h->chain);
    bytes_writer_init(&w, h->hello, sizeof(h->hello));
    bytes_write(&w, HANDSHAKE_MAGIC, 4);
    bytes_write_u16(&w, PROTOCOL_VERSION);
    bytes_write(&w, mark, MARK_SIZE);
    bytes_write(&w, ephemeral, EPHEMERAL_SIZE);
    POT_ASSERT(!w.is_overflown && w.offset == HANDSHAKE_HELLO_SIZE);
}

struct handshake *handshake_new(const struct handshake_config *config,
                                struct buf *out)
{
    struct handshake *h = sodium_malloc(sizeof(*h));
    POT_ASSERT(h != NULL);
    memset(h, 0, sizeof(*h));
    h->chain = config->chain;
    h->key = config->key;
    h->instance = config->instance;
    size_t size = strnlen(config->moniker, TX_TEXT_MAX);
    memcpy(h->moniker, config->moniker, size);
    if (config->expected != NULL) {
        h->has_expected = true;
        h->expected = *config->expected;
    }
    if (config->ephemeral != NULL) {
        memcpy(h->secret, config->ephemeral, sizeof(h->secret));
    } else {
        randombytes_buf(h->secret, sizeof(h->secret));
    }
    hello_make(h);
    buf_append(out, h->hello, sizeof(h->hello));
    return h;
}

void handshake_free(struct handshake *handshake)
{
    if (handshake != NULL) {
        frame_reader_fini(&handshake->receiving);
        sodium_free(handshake); /* wipes */
    }
}

static enum reason hello_check(const struct handshake *h)
{
    uint8_t mark[MARK_SIZE];
    struct bytes_reader r;
    bytes_reader_init(&r, h->peer_hello, sizeof(h->peer_hello));
    const uint8_t *magic = bytes_borrow(&r, 4);
    if (memcmp(magic, HANDSHAKE_MAGIC, 4) != 0) {
        return REASON_NOT_OURS;
    }
    if (bytes_read_u16(&r) != PROTOCOL_VERSION) {
        return REASON_VERSION;
    }
    chain_mark(mark, &h->chain);
    if (memcmp(bytes_borrow(&r, MARK_SIZE), mark, MARK_SIZE) != 0) {
        return REASON_CHAIN;
    }
    return REASON_NONE;
}

static void derive(uint8_t *out, size_t size, uint64_t id,
                   const struct hash *transcript)
{
    int rc =
        crypto_kdf_derive_from_key(out, size, id, "potpeers", transcript->b);
    POT_ASSERT(rc == 0);
}

/* Keys 1 and 2 belong to what the lower and the higher side send. */
static void keys_make(struct handshake *h, const uint8_t *shared)
{
    const uint8_t *ours = ephemeral_of(h->hello);
    const uint8_t *theirs = ephemeral_of(h->peer_hello);
    struct hash transcript;
    struct hasher hasher;
    uint8_t key[FRAME_KEY_SIZE];

    h->is_lower = memcmp(ours, theirs, EPHEMERAL_SIZE) < 0;
    hasher_init(&hasher, "peer-handshake");
    hasher_add_u32(&hasher, PROTOCOL_VERSION);
    hasher_add(&hasher, h->chain.b, HASH_SIZE);
    hasher_add(&hasher, h->is_lower ? ours : theirs, EPHEMERAL_SIZE);
    hasher_add(&hasher, h->is_lower ? theirs : ours, EPHEMERAL_SIZE);
    hasher_add(&hasher, shared, crypto_scalarmult_BYTES);
    hasher_final(&hasher, &transcript);

    derive(key, sizeof(key), h->is_lower ? 1 : 2, &transcript);
    frame_cipher_init(&h->sending, key);
    derive(key, sizeof(key), h->is_lower ? 2 : 1, &transcript);
    frame_reader_init(&h->receiving, key, FRAME_PRE_AUTH_MAX);
    derive(h->challenge, CHALLENGE_SIZE, 3, &transcript);
    sodium_memzero(key, sizeof(key));
    sodium_memzero(&transcript, sizeof(transcript));
    sodium_memzero(&hasher, sizeof(hasher));
}

/* What a side signs: the challenge and its own role, so that neither can
 * show the other's signature as its own. */
struct claim {
    uint8_t b[CHALLENGE_SIZE + 1];
};

static struct claim claim_make(const struct handshake *h, bool is_lower)
{
    struct claim claim;
    memcpy(claim.b, h->challenge, CHALLENGE_SIZE);
    claim.b[CHALLENGE_SIZE] = is_lower ? 0 : 1;
    return claim;
}

static enum reason auth_send(struct handshake *h, struct buf *out)
{
    uint8_t body[PUBLIC_KEY_SIZE + SIGNATURE_SIZE + 8 + 1 + TX_TEXT_MAX];
    struct signature signature;
    struct bytes_writer w;
    struct claim claim = claim_make(h, h->is_lower);
    size_t size = strlen(h->moniker);
    if (!key_sign(&signature, h->key, "peer-auth", &h->chain, claim.b,
                  sizeof(claim.b))) {
        return REASON_NOT_SIGNED;
    }
    bytes_writer_init(&w, body, sizeof(body));
    bytes_write(&w, key_public(h->key)->b, PUBLIC_KEY_SIZE);
    bytes_write(&w, signature.b, SIGNATURE_SIZE);
    bytes_write_u64(&w, h->instance);
    bytes_write_u8(&w, (uint8_t)size);
    bytes_write(&w, h->moniker, size);
    POT_ASSERT(!w.is_overflown);
    frame_seal(&h->sending, out, MESSAGE_AUTH, body, w.offset);
    return REASON_NONE;
}

static enum reason hello_finish(struct handshake *h, struct buf *out)
{
    uint8_t shared[crypto_scalarmult_BYTES];
    const uint8_t *theirs = ephemeral_of(h->peer_hello);
    enum reason reason = hello_check(h);
    if (reason != REASON_NONE) {
        return reason;
    }
    if (memcmp(ephemeral_of(h->hello), theirs, EPHEMERAL_SIZE) == 0) {
        return REASON_REFLECTED;
    }
    if (crypto_scalarmult(shared, h->secret, theirs) != 0) {
        return REASON_LOW_ORDER;
    }
    keys_make(h, shared);
    sodium_memzero(shared, sizeof(shared));
    sodium_memzero(h->secret, sizeof(h->secret));
    h->state = HANDSHAKE_AUTH;
    return auth_send(h, out);
}

/* Takes what belongs to the hello and says how much that was. */
static enum reason hello_input(struct handshake *h, struct buf *out,
                               const uint8_t *data, size_t size, size_t *used)
{
    size_t missing = HANDSHAKE_HELLO_SIZE - h->peer_hello_size;
    *used = size < missing ? size : missing;
    memcpy(h->peer_hello + h->peer_hello_size, data, *used);
    h->peer_hello_size += *used;
    if (h->peer_hello_size < HANDSHAKE_HELLO_SIZE) {
        /* Who speaks another protocol is told from its first bytes. */
        size_t known = h->peer_hello_size < 4 ? h->peer_hello_size : 4;
        bool is_ours = memcmp(h->peer_hello, HANDSHAKE_MAGIC, known) == 0;
        return is_ours ? REASON_NONE : REASON_NOT_OURS;
    }
    return hello_finish(h, out);
}

static enum reason auth_check(struct handshake *h, const struct frame *frame)
{
    struct public_key key;
    struct signature signature;
    struct bytes_reader r;
    struct claim claim = claim_make(h, !h->is_lower);
    if (frame->type != MESSAGE_AUTH) {
        return REASON_TYPE;
    }
    bytes_reader_init(&r, frame->body, frame->size);
    bytes_read(&r, key.b, PUBLIC_KEY_SIZE);
    bytes_read(&r, signature.b, SIGNATURE_SIZE);
    uint64_t instance = bytes_read_u64(&r);
    size_t size = bytes_read_u8(&r);
    const uint8_t *moniker = bytes_borrow(&r, size);
    if (!bytes_is_done(&r) || size > TX_TEXT_MAX ||
        memchr(moniker, '\0', size) != NULL) {
        return REASON_MALFORMED;
    }
    if (!key_verify(&key, "peer-auth", &h->chain, claim.b, sizeof(claim.b),
                    &signature)) {
        return REASON_SIGNATURE;
    }
    h->is_known = true;
    h->peer = key;
    h->peer_instance = instance;
    memcpy(h->peer_moniker, moniker, size);
    if (public_key_equal(&key, key_public(h->key))) {
        return REASON_SELF;
    }
    if (h->has_expected && !public_key_equal(&key, &h->expected)) {
        return REASON_WRONG_KEY;
    }
    return REASON_NONE;
}

static enum reason auth_input(struct handshake *h)
{
    struct frame frame;
    enum reason reason = frame_reader_next(&h->receiving, &frame);
    if (reason != REASON_NONE || frame.body == NULL) {
        return reason;
    }
    reason = auth_check(h, &frame);
    if (reason == REASON_NONE) {
        h->state = HANDSHAKE_DONE;
    }
    return reason;
}

enum reason handshake_input(struct handshake *handshake, struct buf *out,
                            const void *data, size_t size)
{
    struct handshake *h = handshake;
    enum reason reason = REASON_NONE;
    size_t used = 0;
    POT_ASSERT(h->state != HANDSHAKE_FAILED);
    if (h->state == HANDSHAKE_HELLO && size > 0) {
        reason = hello_input(h, out, data, size, &used);
    }
    if (reason == REASON_NONE && h->state != HANDSHAKE_HELLO) {
        frame_reader_feed(&h->receiving, (const uint8_t *)data + used,
                          size - used);
        if (h->state == HANDSHAKE_AUTH) {
            reason = auth_input(h);
        }
    }
    if (reason != REASON_NONE) {
        h->state = HANDSHAKE_FAILED;
    }
    return reason;
}

bool handshake_is_done(const struct handshake *handshake)
{
    return handshake->state == HANDSHAKE_DONE;
}

const struct public_key *handshake_peer(const struct handshake *handshake)
{
    return handshake->is_known ? &handshake->peer : NULL;
}

const char *handshake_moniker(const struct handshake *handshake)
{
    POT_ASSERT(handshake->state == HANDSHAKE_DONE);
    return handshake->peer_moniker;
}

uint64_t handshake_instance(const struct handshake *handshake)
{
    POT_ASSERT(handshake->state == HANDSHAKE_DONE);
    return handshake->peer_instance;
}

void handshake_take(struct handshake *handshake, struct frame_cipher *sending,
                    struct frame_reader *receiving)
{
    POT_ASSERT(handshake->state == HANDSHAKE_DONE);
    *sending = handshake->sending;
    *receiving = handshake->receiving;
    frame_reader_limit(receiving, FRAME_BYTES_MAX + FRAME_OVERHEAD);
    frame_cipher_fini(&handshake->sending);
    memset(&handshake->receiving, 0, sizeof(handshake->receiving));
    handshake->state = HANDSHAKE_FAILED; /* nothing more goes in */
}
