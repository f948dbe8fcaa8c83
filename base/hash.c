#include "config.h"

#include "base/hash.h"

#include "base/bytes.h"
#include "base/check.h"
#include "base/hex.h"

#include <string.h>

void hasher_init(struct hasher *h, const char *what)
{
    (void)crypto_generichash_init(&h->state, NULL, 0, HASH_SIZE);
    hasher_add(h, "pot/1/", 6);
    hasher_add(h, what, strlen(what));
    hasher_add(h, "/", 1);
}

void hasher_add(struct hasher *h, const void *data, size_t size)
{
    if (size > 0) {
        (void)crypto_generichash_update(&h->state, data, size);
    }
}

void hasher_add_u32(struct hasher *h, uint32_t value)
{
    struct bytes_writer w;
    uint8_t raw[4];
    bytes_writer_init(&w, raw, sizeof(raw));
    bytes_write_u32(&w, value);
    hasher_add(h, raw, sizeof(raw));
}

void hasher_add_u64(struct hasher *h, uint64_t value)
{
    struct bytes_writer w;
    uint8_t raw[8];
    bytes_writer_init(&w, raw, sizeof(raw));
    bytes_write_u64(&w, value);
    hasher_add(h, raw, sizeof(raw));
}

void hasher_final(struct hasher *h, struct hash *out)
{
    int rc = crypto_generichash_final(&h->state, out->b, HASH_SIZE);
    POT_ASSERT(rc == 0);
}

void hash_bytes(struct hash *out, const char *what, const void *data,
                size_t size)
{
    struct hasher h;
    hasher_init(&h, what);
    hasher_add(&h, data, size);
    hasher_final(&h, out);
}

bool hash_equal(const struct hash *a, const struct hash *b)
{
    return memcmp(a->b, b->b, HASH_SIZE) == 0;
}

bool hash_is_zero(const struct hash *h)
{
    static const struct hash zero;
    return hash_equal(h, &zero);
}

int hash_compare(const struct hash *a, const struct hash *b)
{
    return memcmp(a->b, b->b, HASH_SIZE);
}

int hash_order(const void *a, const void *b)
{
    return hash_compare(a, b);
}

const char *hash_format(const struct hash *h, char text[static HASH_TEXT_SIZE])
{
    return hex_format(text, h->b, HASH_SIZE);
}

enum pot_err hash_parse(struct hash *out, const char *text)
{
    if (strlen(text) != HASH_TEXT_SIZE - 1) {
        return POT_EFORMAT;
    }
    return hex_parse(out->b, HASH_SIZE, text);
}

enum pot_err hash_from_bytes(struct hash *out, const void *data, size_t size)
{
    if (size != HASH_SIZE) {
        return POT_EFORMAT;
    }
    memcpy(out->b, data, HASH_SIZE);
    return POT_OK;
}

static void merkle_inner(struct hash *out, const struct hash *left,
                         const struct hash *right)
{
    struct hasher h;
    hasher_init(&h, "merkle-inner");
    hasher_add(&h, left->b, HASH_SIZE);
    hasher_add(&h, right->b, HASH_SIZE);
    hasher_final(&h, out);
}

void hash_merkle_root(struct hash *out, struct hash *leaves, size_t count)
{
    if (count == 0) {
        memset(out, 0, sizeof(*out));
        return;
    }
    for (size_t i = 0; i < count; i++) {
        hash_bytes(&leaves[i], "merkle-leaf", leaves[i].b, HASH_SIZE);
    }
    while (count > 1) {
        size_t half = 0;
        for (size_t i = 0; i + 1 < count; i += 2) {
            merkle_inner(&leaves[half++], &leaves[i], &leaves[i + 1]);
        }
        if (count % 2 == 1) {
            leaves[half++] = leaves[count - 1];
        }
        count = half;
    }
    *out = leaves[0];
}
