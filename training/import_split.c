/* Which rows are the test set's is decided row by row: of the `left` rows
 * still to come, `wanted` are taken, so that this one is with probability
 * wanted / left.  Every subset of that size is equally likely, and rows keep
 * their order. */
#include "config.h"

#include "training/import.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "training/import_complain.h"

#include <math.h>
#include <stdlib.h>

/* SplitMix64. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static bool *choose_rows(uint64_t rows, uint64_t wanted, uint64_t seed)
{
    bool *is_test = pot_calloc((size_t)rows, sizeof(*is_test));
    for (uint64_t i = 0; i < rows; i++) {
        if (next_random(&seed) % (rows - i) < wanted) {
            is_test[i] = true;
            wanted--;
        }
    }
    return is_test;
}

static void put_header(struct buf *out, const struct dataset *d, uint64_t rows)
{
    char(*texts)[256] = pot_calloc(d->classes + 1U, sizeof(*texts));
    const char **names = pot_calloc(d->classes + 1U, sizeof(*names));
    size_t size;
    for (uint32_t i = 0; i < d->classes; i++) {
        dataset_class_name(texts[i], d, i);
        names[i] = texts[i];
    }
    uint8_t *header = dataset_header(&size, rows, d->features, d->classes,
                                     d->type, d->divisor, names);
    buf_append(out, header, size);
    free(header);
    free(names);
    free(texts);
}

static void put_rows(struct buf *out, const uint8_t *from, size_t row_bytes,
                     uint64_t rows, const bool *is_test, bool wanted)
{
    for (uint64_t i = 0; i < rows; i++) {
        if (is_test[i] == wanted) {
            buf_append(out, from + i * row_bytes, row_bytes);
        }
    }
}

static void put_part(struct buf *out, const struct dataset *d, uint64_t rows,
                     const bool *is_test, bool wanted)
{
    size_t feature_bytes = d->type == DATASET_U8 ? 1 : 4;
    put_header(out, d, rows);
    put_rows(out, d->feature_data, d->features * feature_bytes, d->rows,
             is_test, wanted);
    put_rows(out, d->label_data, d->classes > 0 ? 2 : 4, d->rows, is_test,
             wanted);
}

enum pot_err import_split(struct buf *train, struct buf *test,
                          const struct dataset *whole, double test_fraction,
                          uint64_t seed, char why[static IMPORT_WHY_SIZE])
{
    size_t size_max = (size_t)DATASET_CHUNKS_MAX * DATASET_CHUNK_BYTES;
    buf_init(train, size_max);
    buf_init(test, size_max);
    why[0] = '\0';
    double wanted = round((double)whole->rows * test_fraction);
    if (!(wanted >= 1.0 && wanted <= (double)(whole->rows - 1))) {
        return import_complain(why, POT_ERANGE,
                               "a part of %g of %llu rows leaves the training "
                               "or the test set empty",
                               test_fraction, (unsigned long long)whole->rows);
    }
    uint64_t test_rows = (uint64_t)wanted;
    bool *is_test = choose_rows(whole->rows, test_rows, seed);
    put_part(test, whole, test_rows, is_test, true);
    put_part(train, whole, whole->rows - test_rows, is_test, false);
    free(is_test);
    return train->is_overflown || test->is_overflown ? POT_ELIMIT : POT_OK;
}
