/* A gather goes to and fro until all is copied:
 *
 *   fill, off the loop --on_filled--> needs_add_chunk of what it lacks
 *        ^                                    |
 *        '------------- on_fetched -----------'
 *
 * The pieces to copy are the header, then every row's features, then every
 * row's label, both in the order in which they lie in the data set.  So each
 * chunk is read once for the ones and once for the others, and one at a time
 * is in memory. */
#include "config.h"

#include "node/round/row_gather.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"
#include "node/block/needs.h"
#include "node/hold/chunk_cache.h"
#include "node/hold/holdings.h"
#include "node/loop/offload.h"
#include "node/round/round_input.h"
#include "proto/codec.h"
#include "proto/dataset.h"
#include "storage/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LACKING_MAX 16 /* chunks that are fetched at once, */
#define CACHE_PART  2  /* but no more than half of the cache */
/* Fetches in a row after which nothing could be copied: what was fetched was
 * evicted at once, by others. */
#define FRUITLESS_MAX 3

struct piece { /* a row; where it stands in the job */
    uint64_t row;
    size_t place;
};

struct row_gather {
    struct row_gather_config config;
    struct round_input *input;
    const Pot__PublishDataset *set; /* the input's */
    row_gather_fn *done;            /* NULL: forgotten */
    void *context;
    struct offload offload;
    bool is_filling; /* off the loop */

    struct dataset_layout layout; /* header_size 0: not known yet */
    struct piece *pieces;         /* by ascending row */
    size_t count;
    size_t at; /* pieces copied, of 1 + 2 * count */
    unsigned fruitless;

    char *path; /* of out; NULL: not there yet */
    uint8_t *out;
    size_t out_size;

    struct buf chunk; /* the one in memory */
    size_t chunk_index;
    bool has_chunk;
    uint32_t lacking[LACKING_MAX]; /* ascending */
    size_t lacking_count;
    enum pot_err err;
};

static void unmap(struct row_gather *g)
{
    if (g->out != NULL) {
        (void)munmap(g->out, g->out_size);
    }
    g->out = NULL;
}

static void gather_free(struct row_gather *g)
{
    unmap(g);
    if (g->path != NULL) {
        (void)unlink(g->path);
    }
    free(g->path);
    free(g->pieces);
    round_input_unref(g->input);
    buf_fini(&g->chunk);
    free(g);
}

/* ---- off the loop: chunks */

static void hash_of(struct hash *out, const struct row_gather *g, size_t index)
{
    POT_ASSERT(index < g->set->n_chunks);
    bool is_hash = codec_hash(out, g->set->chunks[index]);
    POT_ASSERT(is_hash); /* the ledger took it */
}

static bool is_held(const struct row_gather *g, size_t index)
{
    const struct holdings *h = g->config.holdings;
    struct hash hash;
    hash_of(&hash, g, index);
    return chunk_cache_has(h->chunks, &hash) ||
           store_blob_has(h->store, &hash, NULL);
}

/* A validator has the chunks of what it voted for in its store. */
static bool load_chunk(struct row_gather *g, size_t index)
{
    const struct holdings *h = g->config.holdings;
    struct hash hash;
    if (g->has_chunk && g->chunk_index == index) {
        return true;
    }
    hash_of(&hash, g, index);
    bool is_stored = store_blob_has(h->store, &hash, NULL) &&
                     store_blob_get(h->store, &hash, &g->chunk) == POT_OK;
    g->has_chunk = is_stored || chunk_cache_get(h->chunks, &hash, &g->chunk);
    g->chunk_index = index;
    if (g->has_chunk &&
        g->chunk.size != dataset_chunk_size(g->set->size_bytes, index)) {
        g->err = POT_EFORMAT;
        g->has_chunk = false;
    }
    return g->has_chunk;
}

/* False: a chunk is not there; nothing that matters was written. */
static bool copy_range(struct row_gather *g, uint8_t *to, uint64_t from,
                       size_t size)
{
    while (size > 0) {
        size_t offset = (size_t)(from % DATASET_CHUNK_BYTES);
        if (!load_chunk(g, (size_t)(from / DATASET_CHUNK_BYTES))) {
            return false;
        }
        size_t part = g->chunk.size - offset;
        part = part < size ? part : size;
        memcpy(to, g->chunk.data + offset, part);
        to += part;
        from += part;
        size -= part;
    }
    return true;
}

/* ---- off the loop: pieces */

struct range {
    uint64_t from; /* in the data set */
    size_t to;     /* in the file */
    size_t size;
};

static struct range range_of(const struct row_gather *g, size_t piece)
{
    const struct dataset_layout *l = &g->layout;
    if (piece == 0) {
        return (struct range){0, 0, l->header_size};
    }
    bool is_label = piece > g->count;
    const struct piece *p = &g->pieces[(piece - 1) % g->count];
    size_t size = is_label ? l->label_bytes : l->feature_bytes;
    uint64_t before = is_label ? l->rows * l->feature_bytes : 0;
    size_t to = is_label ? g->count * l->feature_bytes : 0;
    return (struct range){
        .from = l->header_size + before + p->row * size,
        .to = l->header_size + to + p->place * size,
        .size = size,
    };
}

static void note_lacking(struct row_gather *g, size_t index)
{
    bool is_noted = g->lacking_count > 0 &&
                    g->lacking[g->lacking_count - 1] >= (uint32_t)index;
    if (!is_noted && !is_held(g, index)) {
        g->lacking[g->lacking_count++] = (uint32_t)index;
    }
}

/* The chunks that come next and are not there, a few of them. */
static void look_ahead(struct row_gather *g)
{
    uint64_t cache = chunk_cache_bytes_max(g->config.holdings->chunks);
    uint64_t most = cache / DATASET_CHUNK_BYTES / CACHE_PART;
    most = most < 1 ? 1 : most > LACKING_MAX ? LACKING_MAX : most;
    size_t seen = SIZE_MAX;
    for (size_t i = g->at; i < 1 + 2 * g->count; i++) {
        const struct range r = range_of(g, i);
        size_t first = (size_t)(r.from / DATASET_CHUNK_BYTES);
        size_t last = (size_t)((r.from + r.size - 1) / DATASET_CHUNK_BYTES);
        for (size_t c = first == seen ? first + 1 : first; c <= last; c++) {
            if (g->lacking_count == most) {
                return;
            }
            note_lacking(g, c);
        }
        seen = last;
    }
}

static enum pot_err create_file(struct row_gather *g)
{
    char *path = chunk_cache_rows_path(g->config.holdings->chunks);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0) {
        free(path);
        return err_from_errno(errno);
    }
    g->path = path;
    /* All of it has its place on the disk: writing to the map cannot fail. */
    int rc = posix_fallocate(fd, 0, (off_t)g->out_size);
    enum pot_err err = rc != 0 ? err_from_errno(rc) : POT_OK;
    if (err == POT_OK) {
        void *out =
            mmap(NULL, g->out_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        g->out = out != MAP_FAILED ? out : NULL;
        err = out == MAP_FAILED ? err_from_errno(errno) : POT_OK;
    }
    (void)close(fd);
    return err;
}

static enum pot_err begin_file(struct row_gather *g,
                               const uint8_t head[static DATASET_HEAD_BYTES])
{
    struct dataset_layout *l = &g->layout;
    enum pot_err err = dataset_layout_read(l, head, g->set->size_bytes);
    if (err != POT_OK) {
        return err;
    }
    uint64_t most = chunk_cache_bytes_max(g->config.holdings->chunks);
    size_t row_bytes = l->feature_bytes + l->label_bytes;
    if (l->rows != g->set->rows || l->header_size > most ||
        (most - l->header_size) / row_bytes < g->count) {
        return l->rows != g->set->rows ? POT_EFORMAT : POT_ELIMIT;
    }
    g->out_size = l->header_size + g->count * row_bytes;
    return create_file(g);
}

/* Copies until all is there, or a chunk is not. */
static void fill(void *context)
{
    struct row_gather *g = context;
    uint8_t head[DATASET_HEAD_BYTES];
    g->lacking_count = 0;
    if (g->out == NULL) {
        if (!copy_range(g, head, 0, sizeof(head))) {
            note_lacking(g, 0);
            return;
        }
        g->err = begin_file(g, head);
    }
    while (g->err == POT_OK && g->at < 1 + 2 * g->count) {
        const struct range r = range_of(g, g->at);
        if (!copy_range(g, g->out + r.to, r.from, r.size)) {
            look_ahead(g);
            return;
        }
        g->at++;
        g->fruitless = 0;
    }
    if (g->err == POT_OK) {
        dataset_head_set_rows(g->out, g->count);
    }
}

/* ---- on the loop */

static void say_why(char *why, size_t size, const struct row_gather *g)
{
    char text[HASH_TEXT_SIZE] = "";
    struct hash hash;
    uint64_t most = chunk_cache_bytes_max(g->config.holdings->chunks);
    if (codec_hash(&hash, g->set->dataset)) {
        (void)hash_format(&hash, text);
    }
    if (g->err == POT_ELIMIT) {
        (void)snprintf(why, size,
                       "its rows of data set %.16s take more than "
                       "data.cache_mb = %" PRIu64 ": raise it",
                       text, most >> 20);
    } else if (g->err == POT_ENOENT && g->lacking_count > 0) {
        (void)snprintf(why, size,
                       "chunk %" PRIu32 " of data set %.16s cannot be had from "
                       "any peer, or not be kept: see the disk and "
                       "data.cache_mb = %" PRIu64,
                       g->lacking[0], text, most >> 20);
    } else {
        (void)snprintf(why, size, "rows of data set %.16s: %s", text,
                       err_text(g->err));
    }
}

static void end(struct row_gather *g)
{
    char why[160] = "";
    char *path = NULL;
    row_gather_fn *done = g->done;
    void *context = g->context;
    enum pot_err err = g->err;
    if (err == POT_OK) {
        path = g->path;
        g->path = NULL;
    } else {
        say_why(why, sizeof(why), g);
    }
    gather_free(g);
    done(context, err, path, why);
}

static void on_filled(void *context);

static void go_on(struct row_gather *g)
{
    g->is_filling = true;
    offload_start(&g->offload, g->config.loop, fill, on_filled, g);
}

static void on_fetched(void *context, bool is_held_now)
{
    struct row_gather *g = context;
    if (!is_held_now || ++g->fruitless > FRUITLESS_MAX) {
        g->err = POT_ENOENT;
        end(g);
    } else {
        go_on(g);
    }
}

static void fetch(struct row_gather *g)
{
    struct needs *needs = g->config.needs;
    struct wait *wait = needs_begin(needs, on_fetched, g);
    for (size_t i = 0; i < g->lacking_count; i++) {
        struct hash hash;
        hash_of(&hash, g, g->lacking[i]);
        needs_add_chunk(needs, wait, &hash);
    }
    wait_end(wait);
}

static void on_filled(void *context)
{
    struct row_gather *g = context;
    g->is_filling = false;
    if (g->done == NULL) {
        gather_free(g);
    } else if (g->err != POT_OK || g->at == 1 + 2 * g->count) {
        end(g);
    } else if (g->lacking_count > 0) {
        fetch(g);
    } else { /* evicted, or found damaged, a moment ago: it shows now */
        on_fetched(g, true);
    }
}

static int compare_pieces(const void *a, const void *b)
{
    const struct piece *x = a;
    const struct piece *y = b;
    return x->row != y->row ? (x->row > y->row) - (x->row < y->row)
                            : (x->place > y->place) - (x->place < y->place);
}

struct row_gather *row_gather_start(const struct row_gather_config *config,
                                    struct round_input *input, uint64_t *rows,
                                    row_gather_fn *done, void *context)
{
    size_t count = input->row_count;
    POT_ASSERT(count > 0 && input->published != NULL);
    POT_ASSERT(config->holdings->chunks != NULL);
    struct row_gather *g = pot_calloc(1, sizeof(*g));
    g->config = *config;
    g->input = round_input_ref(input);
    g->set = input->published->dataset;
    g->done = done;
    g->context = context;
    g->count = count;
    g->pieces = pot_calloc(count, sizeof(*g->pieces));
    for (size_t i = 0; i < count; i++) {
        POT_ASSERT(rows[i] < g->set->rows);
        g->pieces[i] = (struct piece){rows[i], i};
    }
    free(rows);
    qsort(g->pieces, count, sizeof(*g->pieces), compare_pieces);
    buf_init(&g->chunk, DATASET_CHUNK_BYTES);
    go_on(g);
    return g;
}

void row_gather_forget(struct row_gather *g)
{
    if (g == NULL) {
        return;
    }
    g->done = NULL;
    if (!g->is_filling) {
        needs_forget(g->config.needs, g);
        gather_free(g);
    }
}
