#include "config.h"

#include "training/import.h"

#include "base/fixed.h"
#include "base/limits.h"
#include "tests/unit/import_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void csv_of_small_integers_becomes_bytes(void **state)
{
    struct import_fixture *f = *state;
    assert_int_equal(import_fixture_run_text(f, "1,2,x\n3,16,y\n0,8,x\n", NULL),
                     POT_OK);
    assert_int_equal(f->d.rows, 3);
    assert_int_equal(f->d.features, 2);
    assert_int_equal(f->d.classes, 2);
    assert_int_equal(f->d.type, DATASET_U8);
    assert_int_equal(f->d.divisor, 16);
    assert_true(
        import_fixture_is_near(import_fixture_value(f, 1, 0), 3.0 / 16));
    assert_string_equal(import_fixture_class(f, 1), "y");
    assert_string_equal(f->info.format, "CSV");
    assert_true(import_fixture_is_near(f->info.scale, 16.0));
}

static void csv_of_fractions_becomes_fixed_point(void **state)
{
    struct import_fixture *f = *state;
    assert_int_equal(import_fixture_run_text(f, "0.5,-2e0,x\n3,4.25,y\n", NULL),
                     POT_OK);
    assert_int_equal(f->d.type, DATASET_Q24);
    assert_true(import_fixture_is_near(f->info.scale, 4.25));
    assert_true(
        import_fixture_is_near(import_fixture_value(f, 0, 1), -2.0 / 4.25));
    assert_true(import_fixture_is_near(import_fixture_value(f, 1, 1), 1.0));
    assert_int_equal(import_fixture_run_text(f, "0.5,-0.25,x\n0,0,y\n", NULL),
                     POT_OK);
    assert_true(import_fixture_is_near(f->info.scale, 1.0));
}

static void label_column_is_found_by_every_name_for_it(void **state)
{
    struct import_fixture *f = *state;
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
        assert_int_equal(
            import_fixture_run_text(f, cases[i].text, cases[i].label), POT_OK);
        assert_int_equal(f->d.rows, 2);
        assert_string_equal(import_fixture_class(f, 0), cases[i].first_class);
        assert_true(import_fixture_is_near(import_fixture_value(f, 0, 0),
                                           cases[i].first_value));
    }
}

static void header_is_told_from_data(void **state)
{
    struct import_fixture *f = *state;
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
        assert_int_equal(import_fixture_run_text(f, cases[i].text, NULL),
                         POT_OK);
        assert_int_equal(f->d.rows, cases[i].rows);
    }
    assert_string_equal(import_fixture_class(f, 1), "b \"c\"");
}

static void text_of_every_habit_is_read(void **state)
{
    struct import_fixture *f = *state;
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
        if (import_fixture_run_text(f, texts[i], NULL) != POT_OK) {
            fail_msg("%zu: %s", i, f->why);
        }
        assert_int_equal(f->d.rows, 2);
        assert_string_equal(import_fixture_class(f, 1), "b");
        assert_true(
            import_fixture_is_near(import_fixture_value(f, 0, 0), 0.25));
    }
}

static void wrong_text_is_refused_with_its_place(void **state)
{
    struct import_fixture *f = *state;
    static const struct {
        const char *text;
        const char *label;
        const char *said;
    } cases[] = {
        {"\n\n", NULL, ": empty"},
        {"1,2,a\n3,b\n", NULL, ":2: 2 columns, where the first row has 3"},
        {"1,2,a\n3,4,5,b\n", NULL, ":2: 4 columns"},
        {"1,2,a\n3,x,b\n", NULL,
         ":2: column 2: \"x\" is not a finite number; the label is in column "
         "3"},
        {"1,2,a\n3,4,b\n", "0",
         ":2: column 3: \"b\" is not a finite number; the label is in column "
         "1"},
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
        assert_int_not_equal(
            import_fixture_run_text(f, cases[i].text, cases[i].label), POT_OK);
        if (strstr(f->why, cases[i].said) == NULL ||
            strstr(f->why, ".csv") == NULL) {
            fail_msg("%zu: %s", i, f->why);
        }
    }
}

static void classes_are_in_order_and_integers_by_value(void **state)
{
    struct import_fixture *f = *state;
    char name[256];
    assert_int_equal(import_fixture_run_text(f, "1,10\n1,9\n1,-3\n1,9\n", NULL),
                     POT_OK);
    assert_int_equal(f->d.classes, 3);
    dataset_class_name(name, &f->d, 0);
    assert_string_equal(name, "-3");
    dataset_class_name(name, &f->d, 2);
    assert_string_equal(name, "10");
    assert_int_equal(import_fixture_run_text(f, "1,10\n1,9\n1,b\n", NULL),
                     POT_OK);
    dataset_class_name(name, &f->d, 0);
    assert_string_equal(name, "10");
}

static void too_many_classes_are_refused(void **state)
{
    struct import_fixture *f = *state;
    struct buf text;
    buf_init(&text, 1 << 20);
    for (int i = 0; i <= DATASET_CLASSES_MAX; i++) {
        buf_printf(&text, "1,%d\n", i);
    }
    assert_int_equal(import_fixture_run_text(f, buf_text(&text), NULL),
                     POT_ELIMIT);
    assert_non_null(strstr(f->why, ":4097: column 2: more than 4096 classes"));
    buf_fini(&text);
}

static void numbers_may_be_what_is_predicted(void **state)
{
    struct import_fixture *f = *state;
    struct import_options options = {
        .data = import_fixture_put_text(f, "r.csv", "1,0.5\n2,-3.25\n"),
        .is_regression = true};
    assert_int_equal(import_fixture_run(f, &options), POT_OK);
    assert_int_equal(f->d.classes, 0);
    assert_int_equal(dataset_target(&f->d, 1), -13 * (FIXED_ONE / 4));
    options.data = import_fixture_put_text(f, "s.csv", "1,0.5\n2,128\n");
    assert_int_equal(import_fixture_run(f, &options), POT_ERANGE);
    assert_non_null(strstr(f->why, "s.csv:2: column 2: the target 128"));
    options.data = import_fixture_put_text(f, "u.csv", "1,0.5\n2,cat\n");
    assert_int_equal(import_fixture_run(f, &options), POT_EFORMAT);
}

static void test_set_takes_the_training_sets_classes_and_scale(void **state)
{
    struct import_fixture *f = *state;
    struct buf train;
    struct dataset d;
    assert_int_equal(import_fixture_run_text(f, "2,8,b\n4,0,a\n1,1,c\n", NULL),
                     POT_OK);
    train = f->out;
    d = f->d;
    f->out = (struct buf){0};
    struct import_options options = {
        .data = import_fixture_put_text(f, "test.csv", "4,16,c\n0,0,c\n"),
        .like = &d,
        .scale = f->info.scale};
    assert_int_equal(import_fixture_run(f, &options), POT_OK);
    assert_int_equal(f->d.classes, 3);
    assert_string_equal(import_fixture_class(f, 0), "c");
    assert_true(import_fixture_is_near(import_fixture_value(f, 0, 0), 0.5));
    assert_true(import_fixture_is_near(import_fixture_value(f, 0, 1), 2.0));
    options.data = import_fixture_put_text(f, "x.csv", "4,16,c\n0,0,dog\n");
    assert_int_equal(import_fixture_run(f, &options), POT_EFORMAT);
    assert_non_null(strstr(
        f->why, "x.csv:2: column 3: the training set has no class \"dog\""));
    options.data = import_fixture_put_text(f, "y.csv", "4,c\n0,a\n");
    assert_int_equal(import_fixture_run(f, &options), POT_ESHAPE);
    options.data = import_fixture_put_text(f, "z.csv", "4,9999,c\n0,0,a\n");
    assert_int_equal(import_fixture_run(f, &options), POT_ERANGE);
    assert_non_null(strstr(f->why, "row 1, feature 2"));
    buf_fini(&train);
}

static void pds_passes_through_unchanged(void **state)
{
    struct import_fixture *f = *state;
    assert_int_equal(import_fixture_run_text(f, "1,2,x\n3,16,y\n", NULL),
                     POT_OK);
    struct buf made = f->out;
    struct dataset d = f->d;
    f->out = (struct buf){0};
    struct import_options options = {
        .data = import_fixture_put(f, "d.pds", made.data, made.size),
        .like = &d};
    assert_int_equal(import_fixture_run(f, &options), POT_OK);
    assert_int_equal(f->out.size, made.size);
    assert_memory_equal(f->out.data, made.data, made.size);
    assert_true(import_fixture_is_near(f->info.scale, 16.0));
    options.data = import_fixture_put(f, "cut.pds", made.data, made.size - 1);
    assert_int_equal(import_fixture_run(f, &options), POT_EFORMAT);
    buf_fini(&f->out);
    assert_int_equal(import_fixture_run_text(f, "1,2,x\n3,16,z\n", NULL),
                     POT_OK);
    struct dataset other = f->d;
    struct buf kept = f->out;
    f->out = (struct buf){0};
    options.like = &other;
    options.data = import_fixture_put(f, "e.pds", made.data, made.size);
    assert_int_equal(import_fixture_run(f, &options), POT_ESHAPE);
    buf_fini(&kept);
    buf_fini(&made);
}

static void pds_with_names_that_are_no_use_is_refused(void **state)
{
    struct import_fixture *f = *state;
    static const struct {
        char second;
        const char *why;
    } cases[] = {
        {'x', "n.pds: classes 0 and 1 are both called \"x\""},
        {'\0', "n.pds: class 1 has no name"},
        {'\xff', "n.pds: the name of class 1 is not UTF-8"},
    };
    assert_int_equal(import_fixture_run_text(f, "1,2,x\n3,16,y\n", NULL),
                     POT_OK);
    struct buf made = f->out;
    struct dataset d = f->d;
    f->out = (struct buf){0};
    char *second = (char *)made.data + (d.names - made.data) + 3;
    assert_int_equal(*second, 'y');
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        *second = cases[i].second;
        struct import_options options = {
            .data = import_fixture_put(f, "n.pds", made.data, made.size)};
        assert_int_equal(import_fixture_run(f, &options), POT_EFORMAT);
        assert_non_null(strstr(f->why, cases[i].why));
        buf_fini(&f->out);
    }
    buf_fini(&made);
}

static void files_that_cannot_be_read_are_told(void **state)
{
    struct import_fixture *f = *state;
    struct import_options options = {.data = "/tmp/no/such/file.csv"};
    assert_int_equal(import_fixture_run(f, &options), POT_ENOENT);
    assert_string_equal(f->why, "/tmp/no/such/file.csv: not found");
    options.data = import_fixture_put(f, "zero.csv", "", 0);
    assert_int_equal(import_fixture_run(f, &options), POT_EFORMAT);
    options.data = import_fixture_put(f, "binary.csv", "1,2\0,3\n", 7);
    assert_int_equal(import_fixture_run(f, &options), POT_EFORMAT);
    assert_non_null(strstr(f->why, "not CSV, IDX, npy or pds"));
    options.scale = -1;
    assert_int_equal(import_fixture_run(f, &options), POT_ERANGE);
}

static void split_parts_have_every_row_once(void **state)
{
    struct import_fixture *f = *state;
    struct buf text;
    struct buf parts[2];
    buf_init(&text, 1 << 20);
    for (int i = 0; i < 100; i++) {
        buf_printf(&text, "%d,%s\n", i, i % 3 == 0 ? "a" : "b");
    }
    assert_int_equal(import_fixture_run_text(f, buf_text(&text), NULL), POT_OK);
    assert_int_equal(import_split(&parts[0], &parts[1], &f->d, 0.2, 7, f->why),
                     POT_OK);
    bool is_seen[100] = {false};
    const uint64_t rows[2] = {80, 20};
    for (size_t p = 0; p < 2; p++) {
        struct dataset d;
        int32_t last = -1;
        assert_int_equal(dataset_view(&d, parts[p].data, parts[p].size),
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

static void class_names_that_are_not_utf8_are_refused(void **state)
{
    struct import_fixture *f = *state;
    assert_int_equal(import_fixture_run_text(
                         f, "1,2,caf\xc3\xa9\n3,4,\"caf\xe2\x82\xac\"\n", NULL),
                     POT_OK);
    assert_string_equal(import_fixture_class(f, 0), "caf\xc3\xa9");
    static const char *const bad[] = {
        "1,2,x\n3,4,caf\xe9\n",
        /* What a quoted field leaves behind it is no part of it. */
        "1,2,x\n3,4,\"\"\"\xc3\xa9\xc3\"\n",
        "1,2,x\n3,4,\xc3\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_int_equal(import_fixture_run_text(f, bad[i], NULL), POT_EFORMAT);
        assert_non_null(
            strstr(f->why, ":2: column 3: not UTF-8; convert it first"));
    }
}

int main(void)
{
#define WITH(test)                                                             \
    cmocka_unit_test_setup_teardown(test, import_fixture_set_up,               \
                                    import_fixture_tear_down)
    const struct CMUnitTest tests[] = {
        WITH(csv_of_small_integers_becomes_bytes),
        WITH(csv_of_fractions_becomes_fixed_point),
        WITH(label_column_is_found_by_every_name_for_it),
        WITH(header_is_told_from_data),
        WITH(text_of_every_habit_is_read),
        WITH(wrong_text_is_refused_with_its_place),
        WITH(classes_are_in_order_and_integers_by_value),
        WITH(too_many_classes_are_refused),
        WITH(class_names_that_are_not_utf8_are_refused),
        WITH(numbers_may_be_what_is_predicted),
        WITH(test_set_takes_the_training_sets_classes_and_scale),
        WITH(pds_passes_through_unchanged),
        WITH(pds_with_names_that_are_no_use_is_refused),
        WITH(files_that_cannot_be_read_are_told),
        WITH(split_parts_have_every_row_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
