#include "config.h"

#include "proto/word.h"

#include "base/bytes.h"
#include "base/check.h"
#include "proto/codec.h"

#include <stdlib.h>

#define WORD_BYTES (8 + 8 + HASH_SIZE)

struct word word_view_change(uint64_t height, uint64_t view,
                             const Pot__PreparedCertificate *prepared)
{
    struct word word = {.name = WORD_VIEW_CHANGE, height, view, {{0}}};
    if (prepared != NULL) {
        size_t size;
        uint8_t *data = codec_encode(&size, prepared);
        hash_bytes(&word.hash, "prepared", data, size);
        free(data);
    }
    return word;
}

static void word_write(uint8_t out[static WORD_BYTES], const struct word *word)
{
    struct bytes_writer w;
    bytes_writer_init(&w, out, WORD_BYTES);
    bytes_write_u64(&w, word->height);
    bytes_write_u64(&w, word->view);
    bytes_write(&w, word->hash.b, HASH_SIZE);
    POT_ASSERT(w.offset == WORD_BYTES && !w.is_overflown);
}

bool word_read(struct word *out, const char *name, const void *bytes,
               size_t size)
{
    struct bytes_reader r;
    bytes_reader_init(&r, bytes, size);
    out->name = name;
    out->height = bytes_read_u64(&r);
    out->view = bytes_read_u64(&r);
    bytes_read(&r, out->hash.b, HASH_SIZE);
    return bytes_is_done(&r);
}

bool word_sign(struct signature *out, const struct key *key,
               const struct hash *chain, const struct word *word)
{
    uint8_t bytes[WORD_BYTES];
    word_write(bytes, word);
    return key_sign(out, key, word->name, chain, bytes, sizeof(bytes));
}

bool word_verify(const struct public_key *signer, const struct hash *chain,
                 const struct word *word, const struct signature *signature)
{
    uint8_t bytes[WORD_BYTES];
    word_write(bytes, word);
    return key_verify(signer, word->name, chain, bytes, sizeof(bytes),
                      signature);
}
