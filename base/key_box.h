/* key_box: a key under a passphrase, as one line of text.
 *
 * "potkey1:" and the hexadecimal digits of, little-endian,
 *
 *   u32 passes | u32 memory in KiB | 32 public key | 16 salt | 24 nonce |
 *   48 the sealed seed | 32 checksum
 *
 * Argon2id, of the passphrase and the salt at that cost, gives the key of
 * XChaCha20-Poly1305, which seals the seed and vouches for what stands before
 * it.  The checksum, over all before it, tells damage from a wrong passphrase.
 * The cost is bounded: a hostile line cannot ask for more than that. */
#ifndef POT_BASE_KEY_BOX_H
#define POT_BASE_KEY_BOX_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/key.h"

#define KEY_BOX_PREFIX         "potkey1:"
#define KEY_BOX_TEXT_SIZE      329 /* with its NUL */
#define KEY_BOX_PASSES_MAX     16
#define KEY_BOX_MEMORY_KIB_MIN 8
#define KEY_BOX_MEMORY_KIB_MAX (1024 * 1024)

struct passphrase;

struct key_box_cost {
    uint32_t passes;
    uint32_t memory_kib;
};

/* libsodium's "moderate": 0.4 s and 256 MiB. */
extern const struct key_box_cost key_box_cost_usual;

struct key_box {
    struct key_box_cost cost;
    struct public_key public_key;
    uint8_t salt[16];
    uint8_t nonce[24];
    uint8_t sealed[48];
};

/* key_box_seal: with fresh salt and nonce.  Errors: POT_ELIMIT: there is not
 * the memory that cost asks for. */
POT_MUST_USE enum pot_err key_box_seal(struct key_box *out,
                                       const struct key *key,
                                       const struct passphrase *passphrase,
                                       const struct key_box_cost *cost);

/* key_box_open: key_free releases *out.
 *
 * Errors: POT_EPASSPHRASE it is another
 *         POT_ECORRUPT    another public key stands beside the seed
 *         POT_ELIMIT      as above; *out is NULL then */
POT_MUST_USE enum pot_err key_box_open(struct key **out,
                                       const struct key_box *box,
                                       const struct passphrase *passphrase);

/* key_box_format: returns text.  key_box_parse: its inverse, for a line
 * without its end.
 *
 * Errors: POT_EFORMAT  no such line
 *         POT_ECORRUPT the checksum is wrong
 *         POT_ERANGE   the cost is out of bounds */
const char *key_box_format(char text[static KEY_BOX_TEXT_SIZE],
                           const struct key_box *box);
POT_MUST_USE enum pot_err key_box_parse(struct key_box *out, const char *text);

#endif
