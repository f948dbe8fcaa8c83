#include "config.h"

#include "base/key_box.h"

#include "base/bytes.h"
#include "base/check.h"
#include "base/hex.h"
#include "base/passphrase.h"

#include <sodium.h>
#include <string.h>

#define OPEN_SIZE (4 + 4 + 32 + 16 + 24) /* what the seal vouches for */
#define BOX_SIZE  (OPEN_SIZE + 48 + HASH_SIZE)

_Static_assert(sizeof(KEY_BOX_PREFIX) - 1 + 2 * BOX_SIZE + 1 ==
                   KEY_BOX_TEXT_SIZE,
               "the text is the prefix and the digits");
_Static_assert(sizeof(((struct key_box *)0)->salt) == crypto_pwhash_SALTBYTES,
               "the salt is Argon2's");
_Static_assert(sizeof(((struct key_box *)0)->nonce) ==
                   crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
               "the nonce is XChaCha20's");
_Static_assert(sizeof(((struct key_box *)0)->sealed) ==
                   KEY_SEED_SIZE + crypto_aead_xchacha20poly1305_ietf_ABYTES,
               "the seed and its tag");

const struct key_box_cost key_box_cost_usual = {3, 256 * 1024};

/* A secret of size bytes, in locked memory; sodium_free wipes it. */
static uint8_t *secret_new(size_t size)
{
    int rc = sodium_init();
    POT_ASSERT(rc >= 0);
    uint8_t *secret = sodium_malloc(size);
    POT_ASSERT(secret != NULL);
    return secret;
}

/* NULL: not enough memory. */
static uint8_t *stretch(const struct key_box *box,
                        const struct passphrase *passphrase)
{
    size_t size;
    const char *text = passphrase_text(passphrase, &size);
    uint8_t *secret = secret_new(crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
    int rc = crypto_pwhash(secret, crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
                           text, size, box->salt, box->cost.passes,
                           (size_t)box->cost.memory_kib * 1024,
                           crypto_pwhash_ALG_ARGON2ID13);
    if (rc != 0) {
        sodium_free(secret);
        secret = NULL;
    }
    return secret;
}

static void write_open(struct bytes_writer *w, const struct key_box *box)
{
    bytes_write_u32(w, box->cost.passes);
    bytes_write_u32(w, box->cost.memory_kib);
    bytes_write(w, box->public_key.b, PUBLIC_KEY_SIZE);
    bytes_write(w, box->salt, sizeof(box->salt));
    bytes_write(w, box->nonce, sizeof(box->nonce));
}

enum pot_err key_box_seal(struct key_box *out, const struct key *key,
                          const struct passphrase *passphrase,
                          const struct key_box_cost *cost)
{
    uint8_t open[OPEN_SIZE];
    struct bytes_writer w;
    *out = (struct key_box){.cost = *cost, .public_key = *key_public(key)};
    randombytes_buf(out->salt, sizeof(out->salt));
    randombytes_buf(out->nonce, sizeof(out->nonce));
    uint8_t *secret = stretch(out, passphrase);
    if (secret == NULL) {
        return POT_ELIMIT;
    }
    bytes_writer_init(&w, open, sizeof(open));
    write_open(&w, out);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(
        out->sealed, NULL, key_seed(key), KEY_SEED_SIZE, open, sizeof(open),
        NULL, out->nonce, secret);
    sodium_free(secret);
    return POT_OK;
}

enum pot_err key_box_open(struct key **out, const struct key_box *box,
                          const struct passphrase *passphrase)
{
    uint8_t open[OPEN_SIZE];
    struct bytes_writer w;
    *out = NULL;
    uint8_t *secret = stretch(box, passphrase);
    if (secret == NULL) {
        return POT_ELIMIT;
    }
    bytes_writer_init(&w, open, sizeof(open));
    write_open(&w, box);
    uint8_t *seed = secret_new(KEY_SEED_SIZE);
    int rc = crypto_aead_xchacha20poly1305_ietf_decrypt(
        seed, NULL, NULL, box->sealed, sizeof(box->sealed), open, sizeof(open),
        box->nonce, secret);
    if (rc == 0) {
        *out = key_from_seed(seed);
    }
    sodium_free(seed);
    sodium_free(secret);
    if (rc == 0 && !public_key_equal(key_public(*out), &box->public_key)) {
        key_free(*out);
        *out = NULL;
        return POT_ECORRUPT;
    }
    return rc == 0 ? POT_OK : POT_EPASSPHRASE;
}

const char *key_box_format(char text[static KEY_BOX_TEXT_SIZE],
                           const struct key_box *box)
{
    uint8_t data[BOX_SIZE];
    struct hash checksum;
    struct bytes_writer w;
    bytes_writer_init(&w, data, sizeof(data));
    write_open(&w, box);
    bytes_write(&w, box->sealed, sizeof(box->sealed));
    hash_bytes(&checksum, "key-box", data, w.offset);
    bytes_write(&w, checksum.b, HASH_SIZE);
    POT_ASSERT(w.offset == BOX_SIZE && !w.is_overflown);
    memcpy(text, KEY_BOX_PREFIX, sizeof(KEY_BOX_PREFIX) - 1);
    (void)hex_format(text + sizeof(KEY_BOX_PREFIX) - 1, data, sizeof(data));
    return text;
}

enum pot_err key_box_parse(struct key_box *out, const char *text)
{
    uint8_t data[BOX_SIZE];
    struct hash checksum;
    struct bytes_reader r;
    size_t prefix = sizeof(KEY_BOX_PREFIX) - 1;
    if (strncmp(text, KEY_BOX_PREFIX, prefix) != 0) {
        return POT_EFORMAT;
    }
    if (hex_parse(data, sizeof(data), text + prefix) != POT_OK) {
        return POT_ECORRUPT;
    }
    hash_bytes(&checksum, "key-box", data, BOX_SIZE - HASH_SIZE);
    if (memcmp(checksum.b, data + BOX_SIZE - HASH_SIZE, HASH_SIZE) != 0) {
        return POT_ECORRUPT;
    }
    bytes_reader_init(&r, data, BOX_SIZE - HASH_SIZE);
    out->cost.passes = bytes_read_u32(&r);
    out->cost.memory_kib = bytes_read_u32(&r);
    bytes_read(&r, out->public_key.b, PUBLIC_KEY_SIZE);
    bytes_read(&r, out->salt, sizeof(out->salt));
    bytes_read(&r, out->nonce, sizeof(out->nonce));
    bytes_read(&r, out->sealed, sizeof(out->sealed));
    POT_ASSERT(bytes_is_done(&r));
    bool is_bounded = out->cost.passes >= 1 &&
                      out->cost.passes <= KEY_BOX_PASSES_MAX &&
                      out->cost.memory_kib >= KEY_BOX_MEMORY_KIB_MIN &&
                      out->cost.memory_kib <= KEY_BOX_MEMORY_KIB_MAX;
    return is_bounded ? POT_OK : POT_ERANGE;
}
