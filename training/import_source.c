#include "config.h"

#include "training/import_source.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define PIECE_BYTES ((size_t)256 << 10)
/* zlib: the largest window, and a gzip header is wanted. */
#define WINDOW_BITS (15 + 16)

static bool is_gzip(const char *data, size_t size)
{
    return size >= 2 && (unsigned char)data[0] == 0x1f &&
           (unsigned char)data[1] == 0x8b;
}

/* Feeds zlib its input, which it counts in 32 bits. */
static void feed(z_stream *z, const unsigned char **at, size_t *left)
{
    if (z->avail_in == 0 && *left > 0) {
        uInt piece = *left > PIECE_BYTES ? (uInt)PIECE_BYTES : (uInt)*left;
        memcpy(&z->next_in, at, sizeof(*at));
        z->avail_in = piece;
        *at += piece;
        *left -= piece;
    }
}

/* A .gz file may hold several members, one after another. */
static enum pot_err inflate_all(struct buf *out, z_stream *z,
                                const unsigned char *at, size_t left)
{
    unsigned char *piece = pot_alloc(PIECE_BYTES);
    enum pot_err err = POT_OK;
    int rc = Z_OK;
    while (err == POT_OK) {
        feed(z, &at, &left);
        z->next_out = piece;
        z->avail_out = (uInt)PIECE_BYTES;
        rc = inflate(z, Z_NO_FLUSH);
        buf_append(out, piece, PIECE_BYTES - z->avail_out);
        bool has_input = z->avail_in > 0 || left > 0;
        if (out->is_overflown) {
            err = POT_ELIMIT;
        } else if (rc == Z_STREAM_END) {
            if (!has_input) {
                break;
            }
            rc = inflateReset(z);
        }
        if (err == POT_OK && rc != Z_OK) {
            err = rc == Z_MEM_ERROR ? POT_ELIMIT : POT_EFORMAT;
        }
    }
    free(piece);
    return err;
}

/* The bytes of a .gz file, decompressed. */
static enum pot_err inflate_source(struct import_source *out, const void *data,
                                   size_t size, size_t size_max)
{
    z_stream z = {0};
    struct buf bytes;
    *out = (struct import_source){0};
    if (inflateInit2(&z, WINDOW_BITS) != Z_OK) {
        return POT_ELIMIT;
    }
    buf_init(&bytes, size_max);
    enum pot_err err = inflate_all(&bytes, &z, data, size);
    (void)inflateEnd(&z);
    if (err == POT_OK) {
        out->data = pot_realloc(bytes.data, bytes.size + 1, 1);
        out->size = bytes.size;
        out->data[out->size] = '\0';
        return POT_OK;
    }
    buf_fini(&bytes);
    return err;
}

enum pot_err import_source_read(struct import_source *out, const char *path,
                                size_t size_max)
{
    *out = (struct import_source){0};
    enum pot_err err = file_read(&out->data, &out->size, path, size_max);
    if (err != POT_OK || !is_gzip(out->data, out->size)) {
        return err;
    }
    struct import_source packed = *out;
    err = inflate_source(out, packed.data, packed.size, size_max);
    free(packed.data);
    return err;
}
