/* Files are made in a folder of their own, which goes away with the test. */
#include "config.h"

#include "training/import.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/fixed.h"
#include "base/limits.h"
#include "training/import_source.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#define NAMES_MAX 16

struct fixture {
    char folder[64];
    char *paths[NAMES_MAX];
    size_t path_count;
    struct buf out;
    struct dataset d;
    struct import_info info;
    char why[IMPORT_WHY_SIZE];
};

static int set_up(void **state)
{
    struct fixture *f = pot_calloc(1, sizeof(*f));
    (void)snprintf(f->folder, sizeof(f->folder), "/tmp/test_import.XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < f->path_count; i++) {
        (void)unlink(f->paths[i]);
        free(f->paths[i]);
    }
    (void)rmdir(f->folder);
    buf_fini(&f->out);
    free(f);
    return 0;
}

static const char *put(struct fixture *f, const char *name, const void *data,
                       size_t size)
{
    char *path = file_join(f->folder, name);
    assert_true(f->path_count < NAMES_MAX);
    f->paths[f->path_count++] = path;
    (void)unlink(path);
    assert_int_equal(file_create(path, 0600, data, size), POT_OK);
    return path;
}

static const char *put_text(struct fixture *f, const char *name,
                            const char *text)
{
    return put(f, name, text, strlen(text));
}

static enum pot_err import(struct fixture *f,
                           const struct import_options *options)
{
    buf_fini(&f->out);
    enum pot_err err = import_file(&f->out, &f->info, options, f->why);
    if (err == POT_OK) {
        assert_string_equal(f->why, "");
        assert_int_equal(dataset_open(&f->d, f->out.data, f->out.size), POT_OK);
    } else {
        assert_true(f->why[0] != '\0');
    }
    return err;
}

static enum pot_err import_text(struct fixture *f, const char *text,
                                const char *label)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "t%zu.csv", f->path_count % 8);
    if (f->path_count >= NAMES_MAX - 1) {
        f->path_count--;
        (void)unlink(f->paths[f->path_count]);
        free(f->paths[f->path_count]);
    }
    struct import_options options = {.data = put_text(f, name, text),
                                     .label = label};
    return import(f, &options);
}

static double value(const struct fixture *f, size_t row, size_t column)
{
    int32_t values[16];
    assert_true(f->d.features <= 16);
    dataset_row(values, &f->d, row);
    return (double)values[column] / FIXED_ONE;
}

static const char *class_of(struct fixture *f, size_t row)
{
    static char name[256];
    dataset_class_name(name, &f->d, dataset_class(&f->d, row));
    return name;
}

static bool is_near(double a, double b)
{
    return a - b < 1e-6 && b - a < 1e-6;
}

static void csv_of_small_integers_becomes_bytes(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(import_text(f, "1,2,x\n3,16,y\n0,8,x\n", NULL), POT_OK);
    assert_int_equal(f->d.rows, 3);
    assert_int_equal(f->d.features, 2);
    assert_int_equal(f->d.classes, 2);
    assert_int_equal(f->d.type, DATASET_U8);
    assert_int_equal(f->d.divisor, 16);
    assert_true(is_near(value(f, 1, 0), 3.0 / 16));
    assert_string_equal(class_of(f, 1), "y");
    assert_string_equal(f->info.format, "CSV");
    assert_true(is_near(f->info.scale, 16.0));
}

static void csv_of_fractions_becomes_fixed_point(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(import_text(f, "0.5,-2e0,x\n3,4.25,y\n", NULL), POT_OK);
    assert_int_equal(f->d.type, DATASET_Q24);
    assert_true(is_near(f->info.scale, 4.25));
    assert_true(is_near(value(f, 0, 1), -2.0 / 4.25));
    assert_true(is_near(value(f, 1, 1), 1.0));
    assert_int_equal(import_text(f, "0.5,-0.25,x\n0,0,y\n", NULL), POT_OK);
    assert_true(is_near(f->info.scale, 1.0));
}

static void label_column_is_found_by_every_name_for_it(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text;
        const char *label;
        const char *first_class;
        double first_value;
    } cases[] = {
        {"1,0,a\n0,0,b\n", "last", "a", 1},
        {"a,1,0\nb,0,0\n", "first", "a", 1},
        {"1,a,0\n0,b,0\n", "1", "a", 1},
        {"p,kind,q\n1,a,0\n0,b,0\n", "kind", "a", 1},
        {"1,0,5\n1,0,7\n", "last", "5", 1},
        {"p,last,q\n1,a,0\n0,b,0\n", "last", "a", 1},
        {"p,q,kind\n1,0,3\n0,0,4\n", "last", "3", 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_int_equal(import_text(f, cases[i].text, cases[i].label), POT_OK);
        assert_int_equal(f->d.rows, 2);
        assert_string_equal(class_of(f, 0), cases[i].first_class);
        assert_true(is_near(value(f, 0, 0), cases[i].first_value));
    }
}

static void header_is_told_from_data(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text;
        uint64_t rows;
    } cases[] = {
        {"1,2,a\n3,4,b\n", 2},
        {"p,q,r\n3,4,a\n3,4,b\n", 2},
        /* Columns that are called by numbers, but for the label's. */
        {"0,1,label\n3,4,1\n5,6,2\n", 2},
        {"\"p\",\"q\",\"r\"\n3,4,\"a\"\n3,4,\"b\"\n", 2},
        /* The second row is looked at once only: its quotes stay right. */
        {"1,2,a\n3,4,\"b \"\"c\"\"\"\n5,6,a\n", 3},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_int_equal(import_text(f, cases[i].text, NULL), POT_OK);
        assert_int_equal(f->d.rows, cases[i].rows);
    }
    assert_string_equal(class_of(f, 1), "b \"c\"");
}

static void text_of_every_habit_is_read(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[] = {
        "1,2,a\r\n3,4,b\r\n",
        "1;2;a\n3;4;b",
        "1\t2\ta\n3\t4\tb\n",
        "\xef\xbb\xbf"
        "1,2,a\n3,4,b\n",
        "\n1,2,a\n\n\n3,4,b\n\n",
        " 1 , 2 , a \n3,4, b\n",
        "1,2,\"a\"\n3,4,\"b\"\n",
        "\"1\",\"2\",a\n3,4,b\n",
        "1.0,+2,a\n3e0,.4e1,b\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        if (import_text(f, texts[i], NULL) != POT_OK) {
            fail_msg("%zu: %s", i, f->why);
        }
        assert_int_equal(f->d.rows, 2);
        assert_string_equal(class_of(f, 1), "b");
        assert_true(is_near(value(f, 0, 0), 0.25));
    }
}

static void wrong_text_is_refused_with_its_place(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text;
        const char *label;
        const char *said;
    } cases[] = {
        {"\n\n", NULL, ": empty"},
        {"1,2,a\n3,b\n", NULL, ":2: 2 columns, where the first row has 3"},
        {"1,2,a\n3,4,5,b\n", NULL, ":2: 4 columns"},
        {"1,2,a\n3,x,b\n", NULL, ":2: column 2: \"x\" is not a finite number"},
        {"1,2,a\n3,nan,b\n", NULL, "column 2: \"nan\""},
        {"1,2,a\n3,inf,b\n", NULL, "column 2: \"inf\""},
        {"1,2,a\n3,1e999,b\n", NULL, "column 2: \"1e999\""},
        {"1,2,a\n3,1e300,b\n", NULL, "column 2: \"1e300\""},
        {"1,2,a\n3,0x10,b\n", NULL, "column 2: \"0x10\""},
        {"1,2,a\n3,1.2.3,b\n", NULL, "column 2: \"1.2.3\""},
        {"1,2,a\n3,,b\n", NULL, ":2: column 2 is empty"},
        {"1,2,a\n3,4,\n", NULL, ":2: column 3: a label must have"},
        {"1,2,a\n3,4,a\n", NULL, "all labels are the same"},
        {"a\nb\n", NULL, ":1: one column only"},
        {"1,2,a\n3,4,b\n", "kind", "no column \"kind\""},
        {"1,2,a\n3,4,b\n", "3", "no column \"3\""},
        {"p,q,r\n", NULL, "a header and no row of data"},
        {"1,2,a\n3,4,\"b\n", NULL, ":2: a quoted field is not closed"},
        {"1,2,\"a\"x\n3,4,b\n", NULL, ":1: a quoted field"},
        {"1,2,a\n3,\x1b[31m,b\n", NULL, "column 2: \"?[31m\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_int_not_equal(import_text(f, cases[i].text, cases[i].label),
                             POT_OK);
        if (strstr(f->why, cases[i].said) == NULL ||
            strstr(f->why, ".csv") == NULL) {
            fail_msg("%zu: %s", i, f->why);
        }
    }
}

static void classes_are_in_order_and_integers_by_value(void **state)
{
    struct fixture *f = *state;
    char name[256];
    assert_int_equal(import_text(f, "1,10\n1,9\n1,-3\n1,9\n", NULL), POT_OK);
    assert_int_equal(f->d.classes, 3);
    dataset_class_name(name, &f->d, 0);
    assert_string_equal(name, "-3");
    dataset_class_name(name, &f->d, 2);
    assert_string_equal(name, "10");
    assert_int_equal(import_text(f, "1,10\n1,9\n1,b\n", NULL), POT_OK);
    dataset_class_name(name, &f->d, 0);
    assert_string_equal(name, "10");
}

static void too_many_classes_are_refused(void **state)
{
    struct fixture *f = *state;
    struct buf text;
    buf_init(&text, 1 << 20);
    for (int i = 0; i <= DATASET_CLASSES_MAX; i++) {
        buf_printf(&text, "1,%d\n", i);
    }
    assert_int_equal(import_text(f, buf_text(&text), NULL), POT_ELIMIT);
    assert_non_null(strstr(f->why, ":4097: column 2: more than 4096 classes"));
    buf_fini(&text);
}

static void numbers_may_be_what_is_predicted(void **state)
{
    struct fixture *f = *state;
    struct import_options options = {
        .data = put_text(f, "r.csv", "1,0.5\n2,-3.25\n"),
        .is_regression = true};
    assert_int_equal(import(f, &options), POT_OK);
    assert_int_equal(f->d.classes, 0);
    assert_int_equal(dataset_target(&f->d, 1), -13 * (FIXED_ONE / 4));
    options.data = put_text(f, "s.csv", "1,0.5\n2,128\n");
    assert_int_equal(import(f, &options), POT_ERANGE);
    assert_non_null(strstr(f->why, "s.csv:2: column 2: the target 128"));
    options.data = put_text(f, "u.csv", "1,0.5\n2,cat\n");
    assert_int_equal(import(f, &options), POT_EFORMAT);
}

static void test_set_takes_the_training_sets_classes_and_scale(void **state)
{
    struct fixture *f = *state;
    struct buf train;
    struct dataset d;
    assert_int_equal(import_text(f, "2,8,b\n4,0,a\n1,1,c\n", NULL), POT_OK);
    train = f->out;
    d = f->d;
    f->out = (struct buf){0};
    struct import_options options = {
        .data = put_text(f, "test.csv", "4,16,c\n0,0,c\n"),
        .like = &d,
        .scale = f->info.scale};
    assert_int_equal(import(f, &options), POT_OK);
    assert_int_equal(f->d.classes, 3);
    assert_string_equal(class_of(f, 0), "c");
    assert_true(is_near(value(f, 0, 0), 0.5));
    assert_true(is_near(value(f, 0, 1), 2.0));
    options.data = put_text(f, "x.csv", "4,16,c\n0,0,dog\n");
    assert_int_equal(import(f, &options), POT_EFORMAT);
    assert_non_null(strstr(
        f->why, "x.csv:2: column 3: the training set has no class \"dog\""));
    options.data = put_text(f, "y.csv", "4,c\n0,a\n");
    assert_int_equal(import(f, &options), POT_ESHAPE);
    options.data = put_text(f, "z.csv", "4,9999,c\n0,0,a\n");
    assert_int_equal(import(f, &options), POT_ERANGE);
    assert_non_null(strstr(f->why, "row 1, feature 2"));
    buf_fini(&train);
}

static const uint8_t idx_images[] = {0, 0, 8, 3, 0, 0, 0, 2,   0,  0,
                                     0, 1, 0, 0, 0, 2, 0, 255, 51, 102};
static const uint8_t idx_labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 7, 3};

static void idx_images_are_divided_by_255(void **state)
{
    struct fixture *f = *state;
    struct import_options options = {
        .data = put(f, "i.idx", idx_images, sizeof(idx_images)),
        .labels = put(f, "l.idx", idx_labels, sizeof(idx_labels))};
    assert_int_equal(import(f, &options), POT_OK);
    assert_string_equal(f->info.format, "IDX");
    assert_int_equal(f->d.rows, 2);
    assert_int_equal(f->d.features, 2);
    assert_int_equal(f->d.divisor, 255);
    assert_true(is_near(value(f, 1, 0), 0.2));
    assert_string_equal(class_of(f, 0), "7");
    assert_string_equal(class_of(f, 1), "3");
}

static void gzip_is_undone(void **state)
{
    struct fixture *f = *state;
    const char *path = put(f, "i.gz", "", 0);
    gzFile gz = gzopen(path, "wb");
    assert_int_equal(gzwrite(gz, idx_images, sizeof(idx_images)),
                     sizeof(idx_images));
    assert_int_equal(gzclose(gz), Z_OK);
    struct import_options options = {
        .data = path,
        .labels = put(f, "l.idx", idx_labels, sizeof(idx_labels))};
    assert_int_equal(import(f, &options), POT_OK);
    assert_int_equal(f->d.rows, 2);
    char *bytes;
    size_t size;
    assert_int_equal(file_read(&bytes, &size, path, 1 << 20), POT_OK);
    options.data = put(f, "cut.gz", bytes, size - 5);
    assert_int_equal(import(f, &options), POT_EFORMAT);
    assert_non_null(strstr(f->why, "damaged gzip data"));
    bytes[size - 6] ^= 1;
    options.data = put(f, "bad.gz", bytes, size);
    assert_int_equal(import(f, &options), POT_EFORMAT);
    free(bytes);
}

static void gzip_that_swells_is_stopped(void **state)
{
    struct fixture *f = *state;
    const char *path = put(f, "zeros.gz", "", 0);
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

static const char *put_npy(struct fixture *f, const char *name, unsigned major,
                           const char *descr, const char *shape,
                           const void *data, size_t size)
{
    uint8_t bytes[512];
    char header[200];
    (void)snprintf(header, sizeof(header),
                   "{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n",
                   descr, shape);
    return put(f, name, bytes, make_npy(bytes, major, header, data, size));
}

static void npy_of_every_type_is_read(void **state)
{
    struct fixture *f = *state;
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
        assert_int_equal(import(f, &options), POT_OK);
        assert_string_equal(f->info.format, "npy");
        assert_true(is_near(f->info.scale, 4.0));
        assert_true(is_near(value(f, 1, 0), 0.75));
        assert_string_equal(class_of(f, 0), "1");
        assert_string_equal(class_of(f, 1), "0");
    }
}

static void wrong_arrays_are_refused_with_their_place(void **state)
{
    struct fixture *f = *state;
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
        {put(f, "n.idx", idx_images, 9), two, POT_EFORMAT,
         "damaged IDX header"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct import_options options = {.data = cases[i].data,
                                         .labels = cases[i].labels};
        assert_int_equal(import(f, &options), cases[i].err);
        if (strstr(f->why, cases[i].said) == NULL) {
            fail_msg("%zu: %s", i, f->why);
        }
    }
}

static void fortran_order_is_refused(void **state)
{
    struct fixture *f = *state;
    uint8_t bytes[256];
    size_t size = make_npy(
        bytes, 1,
        "{'descr': '|u1', 'fortran_order': True, 'shape': (1, 1), }\n", "x", 1);
    const char *path = put(f, "f.npy", bytes, size);
    struct import_options options = {.data = path, .labels = path};
    assert_int_equal(import(f, &options), POT_EFORMAT);
    assert_non_null(strstr(f->why, "Fortran order"));
}

static void pds_passes_through_unchanged(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(import_text(f, "1,2,x\n3,16,y\n", NULL), POT_OK);
    struct buf made = f->out;
    struct dataset d = f->d;
    f->out = (struct buf){0};
    struct import_options options = {
        .data = put(f, "d.pds", made.data, made.size), .like = &d};
    assert_int_equal(import(f, &options), POT_OK);
    assert_int_equal(f->out.size, made.size);
    assert_memory_equal(f->out.data, made.data, made.size);
    assert_true(is_near(f->info.scale, 16.0));
    options.data = put(f, "cut.pds", made.data, made.size - 1);
    assert_int_equal(import(f, &options), POT_EFORMAT);
    buf_fini(&f->out);
    assert_int_equal(import_text(f, "1,2,x\n3,16,z\n", NULL), POT_OK);
    struct dataset other = f->d;
    struct buf kept = f->out;
    f->out = (struct buf){0};
    options.like = &other;
    options.data = put(f, "e.pds", made.data, made.size);
    assert_int_equal(import(f, &options), POT_ESHAPE);
    buf_fini(&kept);
    buf_fini(&made);
}

static void files_that_cannot_be_read_are_told(void **state)
{
    struct fixture *f = *state;
    struct import_options options = {.data = "/tmp/no/such/file.csv"};
    assert_int_equal(import(f, &options), POT_ENOENT);
    assert_string_equal(f->why, "/tmp/no/such/file.csv: not found");
    options.data = put(f, "zero.csv", "", 0);
    assert_int_equal(import(f, &options), POT_EFORMAT);
    options.data = put(f, "binary.csv", "1,2\0,3\n", 7);
    assert_int_equal(import(f, &options), POT_EFORMAT);
    assert_non_null(strstr(f->why, "not CSV, IDX, npy or pds"));
    options.scale = -1;
    assert_int_equal(import(f, &options), POT_ERANGE);
}

static void split_parts_have_every_row_once(void **state)
{
    struct fixture *f = *state;
    struct buf text;
    struct buf parts[2];
    buf_init(&text, 1 << 20);
    for (int i = 0; i < 100; i++) {
        buf_printf(&text, "%d,%s\n", i, i % 3 == 0 ? "a" : "b");
    }
    assert_int_equal(import_text(f, buf_text(&text), NULL), POT_OK);
    assert_int_equal(import_split(&parts[0], &parts[1], &f->d, 0.2, 7, f->why),
                     POT_OK);
    bool is_seen[100] = {false};
    const uint64_t rows[2] = {80, 20};
    for (size_t p = 0; p < 2; p++) {
        struct dataset d;
        int32_t last = -1;
        assert_int_equal(dataset_open(&d, parts[p].data, parts[p].size),
                         POT_OK);
        assert_int_equal(d.rows, rows[p]);
        assert_int_equal(d.divisor, 99);
        for (uint64_t row = 0; row < d.rows; row++) {
            int32_t i = d.feature_data[row];
            assert_true(i > last && !is_seen[i]);
            is_seen[i] = true;
            last = i;
            assert_int_equal(dataset_class(&d, row), i % 3 == 0 ? 0 : 1);
        }
    }
    struct buf again[2];
    assert_int_equal(import_split(&again[0], &again[1], &f->d, 0.2, 7, f->why),
                     POT_OK);
    assert_memory_equal(again[1].data, parts[1].data, parts[1].size);
    buf_fini(&again[0]);
    buf_fini(&again[1]);
    assert_int_equal(
        import_split(&again[0], &again[1], &f->d, 0.001, 7, f->why),
        POT_ERANGE);
    assert_int_equal(import_split(&again[0], &again[1], &f->d, 1.0, 7, f->why),
                     POT_ERANGE);
    buf_fini(&parts[0]);
    buf_fini(&parts[1]);
    buf_fini(&text);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH(csv_of_small_integers_becomes_bytes),
        WITH(csv_of_fractions_becomes_fixed_point),
        WITH(label_column_is_found_by_every_name_for_it),
        WITH(header_is_told_from_data),
        WITH(text_of_every_habit_is_read),
        WITH(wrong_text_is_refused_with_its_place),
        WITH(classes_are_in_order_and_integers_by_value),
        WITH(too_many_classes_are_refused),
        WITH(numbers_may_be_what_is_predicted),
        WITH(test_set_takes_the_training_sets_classes_and_scale),
        WITH(idx_images_are_divided_by_255),
        WITH(gzip_is_undone),
        WITH(gzip_that_swells_is_stopped),
        WITH(npy_of_every_type_is_read),
        WITH(wrong_arrays_are_refused_with_their_place),
        WITH(fortran_order_is_refused),
        WITH(pds_passes_through_unchanged),
        WITH(files_that_cannot_be_read_are_told),
        WITH(split_parts_have_every_row_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
