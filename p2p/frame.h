/* frame: encrypted, authenticated pieces of a byte stream.  No sockets here:
 * bytes in, frames out.
 *
 *   u32  size of what follows, 17..FRAME_BYTES_MAX + 17
 *   ...  ChaCha20-Poly1305 (RFC 8439) of: u8 type | body
 *        nonce: 4 zero bytes | u64 counter; additional data: the size
 *
 * A direction has its own key, and its counter begins at zero, so a frame
 * that is repeated, left out or moved does not decrypt.  After
 * FRAME_REKEY_COUNT frames the key is replaced by a key derived from it and
 * the counter starts again: who takes a key cannot read what went before. */
#ifndef POT_P2P_FRAME_H
#define POT_P2P_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "p2p/reason.h"

#define FRAME_KEY_SIZE    32
#define FRAME_HEADER_SIZE 4
#define FRAME_TAG_SIZE    16
#define FRAME_OVERHEAD    (FRAME_HEADER_SIZE + 1 + FRAME_TAG_SIZE)
/* Pings and their answers alone make as many within an hour. */
#define FRAME_REKEY_COUNT  200
#define FRAME_PRE_AUTH_MAX 1024 /* whole frame, before a peer is known */

/* One direction's key; frame_cipher_fini wipes it. */
struct frame_cipher {
    uint8_t key[FRAME_KEY_SIZE];
    uint64_t counter; /* frames under this key, < FRAME_REKEY_COUNT */
};

void frame_cipher_init(struct frame_cipher *cipher,
                       const uint8_t key[static FRAME_KEY_SIZE]);
void frame_cipher_fini(struct frame_cipher *cipher);

/* frame_seal: appends one frame to out.  out must have room for it:
 * FRAME_OVERHEAD + size more bytes below its size_max. */
void frame_seal(struct frame_cipher *cipher, struct buf *out, uint8_t type,
                const void *body, size_t size);

struct frame {
    uint8_t type;
    const uint8_t *body; /* in the reader, until its next call */
    size_t size;
};

struct frame_reader {
    struct frame_cipher cipher;
    struct buf input;
    size_t offset;   /* input before it is done with */
    size_t size_max; /* of a whole frame */
};

void frame_reader_init(struct frame_reader *reader,
                       const uint8_t key[static FRAME_KEY_SIZE],
                       size_t size_max);
void frame_reader_fini(struct frame_reader *reader);

/* frame_reader_limit: what a whole frame may measure from now on. */
void frame_reader_limit(struct frame_reader *reader, size_t size_max);

/* frame_reader_feed: bytes as they came.  Take all frames out before feeding
 * again: what is held stays below one frame and one feed then. */
void frame_reader_feed(struct frame_reader *reader, const void *data,
                       size_t size);

/* frame_reader_next: the next whole frame.
 *
 * Out:    *out; out->body is NULL when more bytes are needed
 * Returns REASON_NONE, or REASON_FRAME_SIZE, REASON_FORGED: the stream is
 *         lost then, close it */
POT_MUST_USE enum reason frame_reader_next(struct frame_reader *reader,
                                           struct frame *out);

#endif
