#include "config.h"

#include "tests/unit/import_fixture.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/fixed.h"
#include "tests/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

int import_fixture_set_up(void **state)
{
    struct import_fixture *f = pot_calloc(1, sizeof(*f));
    f->folder = scratch_folder();
    *state = f;
    return 0;
}

int import_fixture_tear_down(void **state)
{
    struct import_fixture *f = *state;
    for (size_t i = 0; i < f->path_count; i++) {
        free(f->paths[i]);
    }
    scratch_remove(f->folder);
    buf_fini(&f->out);
    free(f);
    return 0;
}

const char *import_fixture_put(struct import_fixture *f, const char *name,
                               const void *data, size_t size)
{
    char *path = file_join(f->folder, name);
    assert_true(f->path_count < NAMES_MAX);
    f->paths[f->path_count++] = path;
    (void)unlink(path);
    assert_int_equal(file_create(path, 0600, data, size), POT_OK);
    return path;
}

const char *import_fixture_put_text(struct import_fixture *f, const char *name,
                                    const char *text)
{
    return import_fixture_put(f, name, text, strlen(text));
}

enum pot_err import_fixture_run(struct import_fixture *f,
                                const struct import_options *options)
{
    buf_fini(&f->out);
    enum pot_err err = import_file(&f->out, &f->info, options, f->why);
    if (err == POT_OK) {
        assert_string_equal(f->why, "");
        assert_int_equal(dataset_view(&f->d, f->out.data, f->out.size), POT_OK);
    } else {
        assert_true(f->why[0] != '\0');
    }
    return err;
}

enum pot_err import_fixture_run_text(struct import_fixture *f, const char *text,
                                     const char *label)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "t%zu.csv", f->path_count % 8);
    if (f->path_count >= NAMES_MAX - 1) {
        f->path_count--;
        (void)unlink(f->paths[f->path_count]);
        free(f->paths[f->path_count]);
    }
    struct import_options options = {
        .data = import_fixture_put_text(f, name, text), .label = label};
    return import_fixture_run(f, &options);
}

double import_fixture_value(const struct import_fixture *f, size_t row,
                            size_t column)
{
    int32_t values[16];
    assert_true(f->d.features <= 16);
    dataset_row(values, &f->d, row);
    return (double)values[column] / FIXED_ONE;
}

const char *import_fixture_class(struct import_fixture *f, size_t row)
{
    static char name[256];
    dataset_class_name(name, &f->d, dataset_class(&f->d, row));
    return name;
}

bool import_fixture_is_near(double a, double b)
{
    return a - b < 1e-6 && b - a < 1e-6;
}
