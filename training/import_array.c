/* IDX: 0, 0, type, dimensions; each dimension as u32 big-endian; elements
 * big-endian.
 *
 * npy: "\x93NUMPY", major, minor, header size (u16, from version 2 on u32),
 * header: a Python dict in text, such as
 *   {'descr': '<f4', 'fortran_order': False, 'shape': (60000, 784), }
 * then the elements. */
#include "config.h"

#include "training/import_array.h"

#include "base/bytes.h"
#include "base/check.h"
#include "base/limits.h"
#include "training/import_complain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIMENSIONS_MAX 8
#define LABEL_SIZE     32
#define PLACE_SIZE     400

static const char npy_magic[6] = {'\x93', 'N', 'U', 'M', 'P', 'Y'};

bool import_array_is_idx(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    return size >= 4 && bytes[0] == 0 && bytes[1] == 0 && bytes[2] >= 0x08 &&
           bytes[2] <= 0x0e && bytes[3] > 0;
}

bool import_array_is_npy(const void *data, size_t size)
{
    return size >= sizeof(npy_magic) &&
           memcmp(data, npy_magic, sizeof(npy_magic)) == 0;
}

static bool set_idx_type(struct import_array *a, uint8_t type)
{
    static const struct {
        uint8_t type;
        enum import_kind kind;
        size_t bytes;
    } types[] = {
        {0x08, IMPORT_KIND_UNSIGNED, 1}, {0x09, IMPORT_KIND_SIGNED, 1},
        {0x0b, IMPORT_KIND_SIGNED, 2},   {0x0c, IMPORT_KIND_SIGNED, 4},
        {0x0d, IMPORT_KIND_FLOAT, 4},    {0x0e, IMPORT_KIND_FLOAT, 8},
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        if (types[i].type == type) {
            a->kind = types[i].kind;
            a->element_bytes = types[i].bytes;
            return true;
        }
    }
    return false;
}

/* Takes the next dimension in; false: the product is beyond all bounds. */
static bool add_dimension(struct import_array *a, size_t index, uint64_t value)
{
    if (index == 0) {
        a->rows = value;
        a->row_size = 1;
        return true;
    }
    return !__builtin_mul_overflow(a->row_size, value, &a->row_size);
}

/* The elements must be all that is left. */
static enum pot_err take_elements(struct import_array *a,
                                  struct bytes_reader *r, const char *file,
                                  char *why)
{
    uint64_t count;
    uint64_t bytes;
    if (a->rows == 0 || a->row_size == 0) {
        return import_complain(why, POT_EFORMAT, "%s: empty", file);
    }
    if (__builtin_mul_overflow(a->rows, a->row_size, &count) ||
        __builtin_mul_overflow(count, a->element_bytes, &bytes) ||
        bytes != bytes_left(r)) {
        return import_complain(why, POT_EFORMAT,
                               "%s: %zu bytes of data, which does not fit the "
                               "%llu rows of %llu that its header tells",
                               file, bytes_left(r), (unsigned long long)a->rows,
                               (unsigned long long)a->row_size);
    }
    a->data = bytes_borrow(r, (size_t)bytes);
    return POT_OK;
}

static uint32_t swap32(uint32_t value)
{
    return value >> 24 | (value >> 8 & 0xff00) | (value << 8 & 0xff0000) |
           value << 24;
}

static enum pot_err open_idx(struct import_array *a, struct bytes_reader *r,
                             const char *file, char *why)
{
    (void)bytes_read_u16(r);
    uint8_t type = bytes_read_u8(r);
    size_t dimensions = bytes_read_u8(r);
    bool is_sound = set_idx_type(a, type);
    a->is_idx = true;
    a->is_big_endian = true;
    for (size_t i = 0; i < dimensions && is_sound; i++) {
        is_sound = add_dimension(a, i, swap32(bytes_read_u32(r)));
    }
    if (!is_sound || r->is_short || dimensions > DIMENSIONS_MAX) {
        return import_complain(why, POT_EFORMAT, "%s: a damaged IDX header",
                               file);
    }
    return take_elements(a, r, file, why);
}

/* The text behind 'key': in the header, or NULL. */
static const char *find_key(const char *header, const char *key)
{
    char quoted[32];
    (void)snprintf(quoted, sizeof(quoted), "'%s'", key);
    const char *at = strstr(header, quoted);
    if (at == NULL) {
        return NULL;
    }
    at += strlen(quoted);
    at += strspn(at, " ");
    if (*at != ':') {
        return NULL;
    }
    at++;
    return at + strspn(at, " ");
}

/* '<f4', '|u1', '>i8'... */
static bool set_npy_type(struct import_array *a, const char *descr)
{
    if (descr == NULL || descr[0] != '\'' || strlen(descr) < 5 ||
        descr[4] != '\'' || strchr("<>|=", descr[1]) == NULL) {
        return false;
    }
    char kind = descr[2];
    a->element_bytes = (size_t)((unsigned char)descr[3] - '0');
    a->is_big_endian = descr[1] == '>';
    a->kind = kind == 'f'   ? IMPORT_KIND_FLOAT
              : kind == 'i' ? IMPORT_KIND_SIGNED
                            : IMPORT_KIND_UNSIGNED;
    switch (a->element_bytes) {
    case 1:
        return kind == 'u' || kind == 'i' || kind == 'b';
    case 2:
        return kind == 'u' || kind == 'i';
    case 4:
    case 8:
        return kind == 'u' || kind == 'i' || kind == 'f';
    default:
        return false;
    }
}

/* (60000, 784), (60000,) */
static bool set_npy_shape(struct import_array *a, const char *shape)
{
    size_t dimensions = 0;
    if (shape == NULL || *shape++ != '(') {
        return false;
    }
    for (;;) {
        shape += strspn(shape, " ");
        size_t digits = strspn(shape, "0123456789");
        if (*shape == ')') {
            return dimensions > 0;
        }
        if (digits == 0 || digits > 18 || dimensions == DIMENSIONS_MAX ||
            !add_dimension(a, dimensions, strtoull(shape, NULL, 10))) {
            return false;
        }
        dimensions++;
        shape += digits;
        shape += strspn(shape, " ");
        shape += *shape == ',';
    }
}

static enum pot_err parse_npy_header(struct import_array *a, const char *header,
                                     const char *file, char *why)
{
    const char *order = find_key(header, "fortran_order");
    if (!set_npy_type(a, find_key(header, "descr"))) {
        return import_complain(why, POT_EFORMAT,
                               "%s: elements must be u1, i1, i2, i4, i8, f4, "
                               "f8 or bool; save it with .astype(\"float32\")",
                               file);
    }
    if (order == NULL || strncmp(order, "False", 5) != 0) {
        return import_complain(why, POT_EFORMAT,
                               "%s: Fortran order; save it with "
                               "numpy.ascontiguousarray",
                               file);
    }
    if (!set_npy_shape(a, find_key(header, "shape"))) {
        return import_complain(why, POT_EFORMAT,
                               "%s: its shape must have 1 to %d dimensions",
                               file, DIMENSIONS_MAX);
    }
    return POT_OK;
}

static enum pot_err open_npy(struct import_array *a, struct bytes_reader *r,
                             const char *file, char *why)
{
    char header[4096];
    (void)bytes_borrow(r, sizeof(npy_magic));
    uint8_t major = bytes_read_u8(r);
    (void)bytes_read_u8(r);
    size_t size = major == 1 ? bytes_read_u16(r) : bytes_read_u32(r);
    const uint8_t *text = bytes_borrow(r, size);
    if (text == NULL || major < 1 || major > 3 || size >= sizeof(header)) {
        return import_complain(why, POT_EFORMAT, "%s: a damaged npy header",
                               file);
    }
    memcpy(header, text, size);
    header[size] = '\0';
    enum pot_err err = parse_npy_header(a, header, file, why);
    return err == POT_OK ? take_elements(a, r, file, why) : err;
}

enum pot_err import_array_view(struct import_array *out, const void *data,
                               size_t size, const char *file,
                               char why[static IMPORT_WHY_SIZE])
{
    struct bytes_reader r;
    *out = (struct import_array){0};
    bytes_reader_init(&r, data, size);
    if (import_array_is_npy(data, size)) {
        return open_npy(out, &r, file, why);
    }
    if (import_array_is_idx(data, size)) {
        return open_idx(out, &r, file, why);
    }
    return import_complain(why, POT_EFORMAT, "%s: neither IDX nor npy", file);
}

double import_array_get(const struct import_array *a, uint64_t i)
{
    const uint8_t *at = a->data + i * a->element_bytes;
    uint64_t bits = 0;
    for (size_t b = 0; b < a->element_bytes; b++) {
        size_t place = a->is_big_endian ? b : a->element_bytes - 1 - b;
        bits = bits << 8 | at[place];
    }
    if (a->kind == IMPORT_KIND_UNSIGNED) {
        return (double)bits;
    }
    if (a->kind == IMPORT_KIND_SIGNED) {
        unsigned unused = 64U - 8U * (unsigned)a->element_bytes;
        return (double)((int64_t)(bits << unused) >> unused);
    }
    if (a->element_bytes == 4) {
        uint32_t half = (uint32_t)bits;
        float single;
        memcpy(&single, &half, sizeof(single));
        return (double)single;
    }
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static enum pot_err add_label(struct import_table *t,
                              const struct import_array *labels, uint64_t row,
                              const struct import_options *options, char *why)
{
    char place[PLACE_SIZE];
    char name[LABEL_SIZE];
    double value = import_array_get(labels, row);
    (void)snprintf(place, sizeof(place), "%s: row %llu", options->labels,
                   (unsigned long long)row + 1);
    if (!isfinite(value)) {
        return import_complain(why, POT_EFORMAT, "%s: not a finite number",
                               place);
    }
    if (t->is_regression) {
        return import_table_add_target(t, value) == POT_OK
                   ? POT_OK
                   : import_complain(
                         why, POT_ERANGE,
                         "%s: the target %g is not between -128 "
                         "and 128; divide the targets by a number first",
                         place, value);
    }
    if (value != rint(value) || fabs(value) > 0x1p53) {
        return import_complain(why, POT_EFORMAT,
                               "%s: the label %g is not a whole number; is it "
                               "a number to be predicted (regression)?",
                               place, value);
    }
    int size = snprintf(name, sizeof(name), "%.0f", value == 0.0 ? 0.0 : value);
    enum pot_err err = import_table_add_class(t, name, (size_t)size);
    return err == POT_OK ? POT_OK
                         : import_complain_label(why, err, place, name);
}

static enum pot_err add_row(struct import_table *t,
                            const struct import_array *features, uint64_t row,
                            const struct import_options *options, char *why)
{
    for (uint64_t c = 0; c < features->row_size; c++) {
        double value = import_array_get(features, row * features->row_size + c);
        if (!isfinite(value) || import_table_add_value(t, value) != POT_OK) {
            return import_complain(why, POT_EFORMAT,
                                   "%s: row %llu, column %llu: not a finite "
                                   "number",
                                   options->data, (unsigned long long)row + 1,
                                   (unsigned long long)c + 1);
        }
    }
    return POT_OK;
}

static enum pot_err check_shapes(const struct import_array *features,
                                 const struct import_array *labels,
                                 const struct import_options *options,
                                 char *why)
{
    if (labels->row_size != 1) {
        return import_complain(
            why, POT_ESHAPE, "%s: %llu labels a row, where one is wanted",
            options->labels, (unsigned long long)labels->row_size);
    }
    if (labels->rows != features->rows) {
        return import_complain(
            why, POT_ESHAPE, "%s has %llu rows and %s has %llu labels",
            options->data, (unsigned long long)features->rows, options->labels,
            (unsigned long long)labels->rows);
    }
    if (features->row_size > DATASET_FEATURES_MAX) {
        return import_complain(why, POT_ELIMIT, "%s: more than %d features",
                               options->data, DATASET_FEATURES_MAX);
    }
    return POT_OK;
}

enum pot_err import_array_table(struct import_table *t,
                                const struct import_array *features,
                                const struct import_array *labels,
                                const struct import_options *options,
                                char why[static IMPORT_WHY_SIZE])
{
    enum pot_err err = check_shapes(features, labels, options, why);
    if (err != POT_OK) {
        return err;
    }
    import_table_init(t, (uint32_t)features->row_size, (size_t)features->rows,
                      options->is_regression, options->like);
    for (uint64_t row = 0; row < features->rows && err == POT_OK; row++) {
        err = add_row(t, features, row, options, why);
        if (err == POT_OK) {
            err = add_label(t, labels, row, options, why);
        }
    }
    return err;
}
