#include "config.h"

#include "p2p/frame.h"

#include "base/bytes.h"
#include "base/check.h"
#include "base/limits.h"

#include <sodium.h>
#include <string.h>

#define NONCE_SIZE crypto_aead_chacha20poly1305_ietf_NPUBBYTES
/* What a reader may hold: a whole frame and a feed behind it. */
#define FEED_MAX  ((size_t)1 << 20)
#define INPUT_MAX (2 * ((size_t)FRAME_BYTES_MAX + FEED_MAX))

_Static_assert(FRAME_KEY_SIZE == crypto_aead_chacha20poly1305_ietf_KEYBYTES,
               "key size");
_Static_assert(FRAME_TAG_SIZE == crypto_aead_chacha20poly1305_ietf_ABYTES,
               "tag size");
_Static_assert(FRAME_KEY_SIZE == crypto_kdf_KEYBYTES, "keys derive keys");

void frame_cipher_init(struct frame_cipher *cipher,
                       const uint8_t key[static FRAME_KEY_SIZE])
{
    memcpy(cipher->key, key, FRAME_KEY_SIZE);
    cipher->counter = 0;
}

void frame_cipher_fini(struct frame_cipher *cipher)
{
    sodium_memzero(cipher, sizeof(*cipher));
}

static void nonce_make(uint8_t nonce[static NONCE_SIZE],
                       const struct frame_cipher *cipher)
{
    struct bytes_writer w;
    bytes_writer_init(&w, nonce, NONCE_SIZE);
    bytes_write_u32(&w, 0);
    bytes_write_u64(&w, cipher->counter);
}

/* After each frame: the nonce is used up. */
static void advance(struct frame_cipher *cipher)
{
    uint8_t next[FRAME_KEY_SIZE];
    if (++cipher->counter < FRAME_REKEY_COUNT) {
        return;
    }
    int rc = crypto_kdf_derive_from_key(next, sizeof(next), 1, "potrekey",
                                        cipher->key);
    POT_ASSERT(rc == 0);
    frame_cipher_init(cipher, next);
    sodium_memzero(next, sizeof(next));
}

void frame_seal(struct frame_cipher *cipher, struct buf *out, uint8_t type,
                const void *body, size_t size)
{
    uint8_t nonce[NONCE_SIZE];
    POT_ASSERT(size <= FRAME_BYTES_MAX);
    uint8_t *frame = buf_extend(out, FRAME_OVERHEAD + size);
    POT_ASSERT(frame != NULL);
    struct bytes_writer w;
    bytes_writer_init(&w, frame, FRAME_HEADER_SIZE);
    bytes_write_u32(&w, (uint32_t)(1 + size + FRAME_TAG_SIZE));
    uint8_t *text = frame + FRAME_HEADER_SIZE;
    text[0] = type;
    if (size > 0) {
        memcpy(text + 1, body, size);
    }
    nonce_make(nonce, cipher);
    int rc = crypto_aead_chacha20poly1305_ietf_encrypt(
        text, NULL, text, 1 + size, frame, FRAME_HEADER_SIZE, NULL, nonce,
        cipher->key);
    POT_ASSERT(rc == 0);
    advance(cipher);
}

void frame_reader_init(struct frame_reader *reader,
                       const uint8_t key[static FRAME_KEY_SIZE],
                       size_t size_max)
{
    frame_cipher_init(&reader->cipher, key);
    buf_init(&reader->input, INPUT_MAX);
    reader->offset = 0;
    frame_reader_limit(reader, size_max);
}

void frame_reader_fini(struct frame_reader *reader)
{
    frame_cipher_fini(&reader->cipher);
    buf_fini(&reader->input);
    reader->offset = 0;
}

void frame_reader_limit(struct frame_reader *reader, size_t size_max)
{
    POT_ASSERT(size_max >= FRAME_OVERHEAD);
    POT_ASSERT(size_max <= FRAME_BYTES_MAX + FRAME_OVERHEAD);
    reader->size_max = size_max;
}

void frame_reader_feed(struct frame_reader *reader, const void *data,
                       size_t size)
{
    POT_ASSERT(size <= FEED_MAX);
    buf_consume(&reader->input, reader->offset);
    reader->offset = 0;
    if (reader->input.size == 0 && reader->input.capacity > FEED_MAX) {
        buf_fini(&reader->input); /* a large frame has gone: so may its room */
    }
    buf_append(&reader->input, data, size);
    POT_ASSERT(!reader->input.is_overflown);
}

static bool frame_open(struct frame_reader *reader, uint8_t *frame,
                       size_t sealed)
{
    uint8_t nonce[NONCE_SIZE];
    uint8_t *text = frame + FRAME_HEADER_SIZE;
    nonce_make(nonce, &reader->cipher);
    return crypto_aead_chacha20poly1305_ietf_decrypt(
               text, NULL, NULL, text, sealed, frame, FRAME_HEADER_SIZE, nonce,
               reader->cipher.key) == 0;
}

enum reason frame_reader_next(struct frame_reader *reader, struct frame *out)
{
    *out = (struct frame){0};
    size_t held = reader->input.size - reader->offset;
    if (held < FRAME_HEADER_SIZE) {
        return REASON_NONE;
    }
    uint8_t *frame = reader->input.data + reader->offset;
    struct bytes_reader r;
    bytes_reader_init(&r, frame, FRAME_HEADER_SIZE);
    size_t sealed = bytes_read_u32(&r);
    if (sealed < 1 + FRAME_TAG_SIZE ||
        sealed > reader->size_max - FRAME_HEADER_SIZE) {
        return REASON_FRAME_SIZE;
    }
    if (held - FRAME_HEADER_SIZE < sealed) {
        return REASON_NONE;
    }
    if (!frame_open(reader, frame, sealed)) {
        return REASON_FORGED;
    }
    advance(&reader->cipher);
    reader->offset += FRAME_HEADER_SIZE + sealed;
    out->type = frame[FRAME_HEADER_SIZE];
    out->body = frame + FRAME_HEADER_SIZE + 1;
    out->size = sealed - 1 - FRAME_TAG_SIZE;
    return REASON_NONE;
}
