#include "config.h"

#include "training/import_array.h"

#include "base/alloc.h"
#include "base/file.h"
#include "tests/unit/import_fixture.h"
#include "training/import_source.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

static const uint8_t idx_images[] = {0, 0, 8, 3, 0, 0, 0, 2,   0,  0,
                                     0, 1, 0, 0, 0, 2, 0, 255, 51, 102};
static const uint8_t idx_labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 7, 3};

static void idx_images_are_divided_by_255(void **state)
{
    struct import_fixture *f = *state;
    struct import_options options = {
        .data = import_fixture_put(f, "i.idx", idx_images, sizeof(idx_images)),
        .labels =
            import_fixture_put(f, "l.idx", idx_labels, sizeof(idx_labels))};
    assert_int_equal(import_fixture_run(f, &options), POT_OK);
    assert_string_equal(f->info.format, "IDX");
    assert_int_equal(f->d.rows, 2);
    assert_int_equal(f->d.features, 2);
    assert_int_equal(f->d.divisor, 255);
    assert_true(import_fixture_is_near(import_fixture_value(f, 1, 0), 0.2));
    assert_string_equal(import_fixture_class(f, 0), "7");
    assert_string_equal(import_fixture_class(f, 1), "3");
}

static void gzip_is_undone(void **state)
{
    struct import_fixture *f = *state;
    const char *path = import_fixture_put(f, "i.gz", "", 0);
    gzFile gz = gzopen(path, "wb");
    assert_int_equal(gzwrite(gz, idx_images, sizeof(idx_images)),
                     sizeof(idx_images));
    assert_int_equal(gzclose(gz), Z_OK);
    struct import_options options = {
        .data = path,
        .labels =
            import_fixture_put(f, "l.idx", idx_labels, sizeof(idx_labels))};
    assert_int_equal(import_fixture_run(f, &options), POT_OK);
    assert_int_equal(f->d.rows, 2);
    char *bytes;
    size_t size;
    assert_int_equal(file_read(&bytes, &size, path, 1 << 20), POT_OK);
    options.data = import_fixture_put(f, "cut.gz", bytes, size - 5);
    assert_int_equal(import_fixture_run(f, &options), POT_EFORMAT);
    assert_non_null(strstr(f->why, "damaged gzip data"));
    bytes[size - 6] ^= 1;
    options.data = import_fixture_put(f, "bad.gz", bytes, size);
    assert_int_equal(import_fixture_run(f, &options), POT_EFORMAT);
    free(bytes);
}

static void gzip_that_swells_is_stopped(void **state)
{
    struct import_fixture *f = *state;
    const char *path = import_fixture_put(f, "zeros.gz", "", 0);
    gzFile gz = gzopen(path, "wb9");
    char zeros[4096] = {0};
    for (int i = 0; i < 256; i++) {
        assert_int_equal(gzwrite(gz, zeros, sizeof(zeros)), sizeof(zeros));
    }
    assert_int_equal(gzclose(gz), Z_OK);
    struct import_source source;
    assert_int_equal(import_source_read(&source, path, (1 << 20) - 1),
                     POT_ELIMIT);
    assert_null(source.data);
    assert_int_equal(import_source_read(&source, path, 1 << 20), POT_OK);
    assert_int_equal(source.size, 1 << 20);
    free(source.data);
}

static size_t make_npy(uint8_t *out, unsigned major, const char *header,
                       const void *data, size_t size)
{
    size_t header_size = strlen(header);
    memcpy(out, "\x93NUMPY", 6);
    out[6] = (uint8_t)major;
    out[7] = 0;
    out[8] = (uint8_t)header_size;
    out[9] = (uint8_t)(header_size >> 8);
    size_t at = 10;
    if (major > 1) {
        out[10] = 0;
        out[11] = 0;
        at = 12;
    }
    memcpy(out + at, header, header_size);
    memcpy(out + at + header_size, data, size);
    return at + header_size + size;
}

static const char *put_npy(struct import_fixture *f, const char *name,
                           unsigned major, const char *descr, const char *shape,
                           const void *data, size_t size)
{
    uint8_t bytes[512];
    char header[200];
    (void)snprintf(header, sizeof(header),
                   "{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n",
                   descr, shape);
    return import_fixture_put(f, name, bytes,
                              make_npy(bytes, major, header, data, size));
}

static void npy_of_every_type_is_read(void **state)
{
    struct import_fixture *f = *state;
    static const uint8_t u1[] = {1, 2, 3, 4};
    static const int8_t i1[] = {1, 2, 3, 4};
    static const int16_t i2[] = {1, 2, 3, 4};
    static const int32_t i4[] = {1, 2, 3, 4};
    static const int64_t i8[] = {1, 2, 3, 4};
    static const float f4[] = {1, 2, 3, 4};
    static const double f8[] = {1, 2, 3, 4};
    static const uint8_t big[] = {0, 1, 0, 2, 0, 3, 0, 4};
    static const bool label_bits[] = {true, false};
    static const struct {
        const char *descr;
        const void *data;
        size_t size;
    } cases[] = {
        {"|u1", u1, sizeof(u1)}, {"|i1", i1, sizeof(i1)},
        {"<i2", i2, sizeof(i2)}, {"<i4", i4, sizeof(i4)},
        {"<i8", i8, sizeof(i8)}, {"<f4", f4, sizeof(f4)},
        {"<f8", f8, sizeof(f8)}, {">u2", big, sizeof(big)},
    };
    const char *labels = put_npy(f, "l.npy", 1, "|b1", "(2,)", label_bits, 2);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct import_options options = {
            .data = put_npy(f, "d.npy", 1 + i % 2, cases[i].descr, "(2, 2)",
                            cases[i].data, cases[i].size),
            .labels = labels};
        assert_int_equal(import_fixture_run(f, &options), POT_OK);
        assert_string_equal(f->info.format, "npy");
        assert_true(import_fixture_is_near(f->info.scale, 4.0));
        assert_true(
            import_fixture_is_near(import_fixture_value(f, 1, 0), 0.75));
        assert_string_equal(import_fixture_class(f, 0), "1");
        assert_string_equal(import_fixture_class(f, 1), "0");
    }
}

static void wrong_arrays_are_refused_with_their_place(void **state)
{
    struct import_fixture *f = *state;
    static const uint8_t u1[] = {1, 2, 3, 4};
    static const float with_nan[] = {1, 2, NAN, 4};
    static const float halves[] = {0.5F, 1.0F};
    const char *good = put_npy(f, "g.npy", 1, "|u1", "(2, 2)", u1, 4);
    const char *two = put_npy(f, "two.npy", 1, "|u1", "(2,)", u1, 2);
    const struct {
        const char *data;
        const char *labels;
        enum pot_err err;
        const char *said;
    } cases[] = {
        {good, put_npy(f, "a.npy", 1, "|u1", "(4,)", u1, 4), POT_ESHAPE,
         "2 rows and"},
        {good, good, POT_ESHAPE, "2 labels a row"},
        {good, NULL, POT_EFORMAT, "its labels are in a file of their own"},
        {good, put_npy(f, "b.npy", 1, "<f4", "(2,)", halves, 8), POT_EFORMAT,
         "b.npy: row 1: the label 0.5 is not a whole number"},
        {put_npy(f, "c.npy", 1, "<f4", "(2, 2)", with_nan, 16), two,
         POT_EFORMAT, "c.npy: row 2, column 1: not a finite number"},
        {put_npy(f, "d.npy", 1, "|u1", "(2, 3)", u1, 4), two, POT_EFORMAT,
         "4 bytes of data"},
        {put_npy(f, "e.npy", 1, "|u1", "(0, 2)", u1, 0), two, POT_EFORMAT,
         "empty"},
        {put_npy(f, "h.npy", 1, "<U4", "(2, 2)", u1, 4), two, POT_EFORMAT,
         "elements must be"},
        {put_npy(f, "j.npy", 1, "|u1", "()", u1, 1), two, POT_EFORMAT,
         "dimensions"},
        {put_npy(f, "k.npy", 9, "|u1", "(2, 2)", u1, 4), two, POT_EFORMAT,
         "damaged npy header"},
        {put_npy(f, "m.npy", 1, "|u1", "(9999999999, 9999999999999)", u1, 4),
         two, POT_EFORMAT, "does not fit"},
        {import_fixture_put(f, "n.idx", idx_images, 9), two, POT_EFORMAT,
         "damaged IDX header"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct import_options options = {.data = cases[i].data,
                                         .labels = cases[i].labels};
        assert_int_equal(import_fixture_run(f, &options), cases[i].err);
        if (strstr(f->why, cases[i].said) == NULL) {
            fail_msg("%zu: %s", i, f->why);
        }
    }
}

static void fortran_order_is_refused(void **state)
{
    struct import_fixture *f = *state;
    uint8_t bytes[256];
    size_t size = make_npy(
        bytes, 1,
        "{'descr': '|u1', 'fortran_order': True, 'shape': (1, 1), }\n", "x", 1);
    const char *path = import_fixture_put(f, "f.npy", bytes, size);
    struct import_options options = {.data = path, .labels = path};
    assert_int_equal(import_fixture_run(f, &options), POT_EFORMAT);
    assert_non_null(strstr(f->why, "Fortran order"));
}

int main(void)
{
#define WITH(test)                                                             \
    cmocka_unit_test_setup_teardown(test, import_fixture_set_up,               \
                                    import_fixture_tear_down)
    const struct CMUnitTest tests[] = {
        WITH(idx_images_are_divided_by_255),
        WITH(gzip_is_undone),
        WITH(gzip_that_swells_is_stopped),
        WITH(npy_of_every_type_is_read),
        WITH(wrong_arrays_are_refused_with_their_place),
        WITH(fortran_order_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
