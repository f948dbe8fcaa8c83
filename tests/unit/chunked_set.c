#include "config.h"

#include "tests/unit/chunked_set.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "node/block/needs.h"
#include "node/hold/chunk_cache.h"
#include "node/round/round_input.h"
#include "proto/codec.h"
#include "storage/store.h"
#include "tests/rng.h"
#include "tests/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

int chunked_set_up(void **state)
{
    char why[256];
    struct chunked_set *f = pot_calloc(1, sizeof(*f));
    f->folder = scratch_folder();
    f->random = 1;
    char *store = file_join(f->folder, "store");
    assert_int_equal(uv_loop_init(&f->loop), 0);
    assert_int_equal(store_open(&f->holdings.store, store, (size_t)16 << 20,
                                why, sizeof(why)),
                     POT_OK);
    assert_int_equal(chunk_cache_open(&f->holdings.chunks, f->folder,
                                      CHUNKED_SET_CACHE_MB << 20),
                     POT_OK);
    const struct needs_config needs = {
        .loop = &f->loop, .holdings = &f->holdings, .timeout_ms = 1};
    f->needs = needs_new(&needs);
    needs_stop(f->needs);
    free(store);
    *state = f;
    return 0;
}

int chunked_set_down(void **state)
{
    struct chunked_set *f = *state;
    assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    needs_free(f->needs);
    chunk_cache_close(f->holdings.chunks);
    store_close(f->holdings.store);
    const char *folders[] = {"store", "chunks"};
    for (size_t i = 0; i < 2; i++) {
        char *path = file_join(f->folder, folders[i]);
        assert_int_equal(file_remove_folder(path), POT_OK);
        free(path);
    }
    scratch_remove(f->folder);
    free(f->bytes);
    free(f);
    return 0;
}

void chunked_set_make(struct chunked_set *f,
                      const struct chunked_set_form *form)
{
    static const char *const names[] = {"one", "two", "three"};
    size_t head;
    size_t width = form->type == DATASET_U8 ? 1 : 4;
    uint8_t *header =
        dataset_header(&head, form->rows, form->features, form->classes,
                       form->type, form->type == DATASET_U8 ? 255 : 1, names);
    size_t features = form->rows * form->features * width;
    f->size = head + features + form->rows * (form->classes > 0 ? 2 : 4);
    free(f->bytes);
    f->bytes = pot_calloc(1, f->size);
    memcpy(f->bytes, header, head);
    free(header);
    for (size_t i = 0; i < features; i++) {
        f->bytes[head + i] = (uint8_t)(rng_next(&f->random) >> 24);
    }
    for (uint64_t row = 0; row < form->rows; row++) {
        size_t at = head + features + row * (form->classes > 0 ? 2 : 4);
        f->bytes[at] =
            (uint8_t)(row % (form->classes > 0 ? form->classes : 251));
    }
    assert_int_equal(dataset_view(&f->set, f->bytes, f->size), POT_OK);
    assert_true(dataset_chunk_count(f->size) <= CHUNKED_SET_CHUNKS);
}

void chunked_set_put(struct chunked_set *f, size_t i, bool is_stored)
{
    const uint8_t *at = f->bytes + i * DATASET_CHUNK_BYTES;
    size_t size = dataset_chunk_size(f->size, i);
    assert_int_equal(
        is_stored
            ? store_blob_put(f->holdings.store, &f->chunks[i], at, size)
            : chunk_cache_put(f->holdings.chunks, &f->chunks[i], at, size),
        POT_OK);
}

/* Each in the cache, in the store, or, if it is the lacking one, nowhere. */
void chunked_set_spread(struct chunked_set *f, size_t lacking)
{
    for (size_t i = 0; i < dataset_chunk_count(f->size); i++) {
        dataset_chunk_hash(&f->chunks[i], f->bytes + i * DATASET_CHUNK_BYTES,
                           dataset_chunk_size(f->size, i));
        if (i != lacking) {
            chunked_set_put(f, i, i % 3 == 1);
        }
    }
}

static Pot__DatasetRecord *publish(struct chunked_set *f)
{
    Pot__DatasetRecord *record = pot_alloc(sizeof(*record));
    Pot__PublishDataset *set = pot_alloc(sizeof(*set));
    size_t count = (size_t)dataset_chunk_count(f->size);
    pot__dataset_record__init(record);
    pot__publish_dataset__init(set);
    dataset_address(&f->address, f->chunks, count);
    set->dataset = codec_copy_bytes(f->address.b, HASH_SIZE);
    set->size_bytes = f->size;
    set->rows = f->set.rows;
    set->features = f->set.features;
    set->classes = f->set.classes;
    set->n_chunks = count;
    set->chunks = pot_calloc(count, sizeof(*set->chunks));
    for (size_t i = 0; i < count; i++) {
        set->chunks[i] = codec_copy_bytes(f->chunks[i].b, HASH_SIZE);
    }
    record->dataset = set;
    return record;
}

struct round_input *chunked_set_input(struct chunked_set *f, size_t count)
{
    struct round_input *input = pot_calloc(1, sizeof(*input));
    input->holders = 1;
    input->row_count = count;
    input->published = publish(f);
    return input;
}
