/* import_fixture: files in a folder of their own, which goes away with the
 * test, and their import. */
#ifndef POT_TESTS_UNIT_IMPORT_FIXTURE_H
#define POT_TESTS_UNIT_IMPORT_FIXTURE_H

#include <stdbool.h>

#include "training/import.h"

#define NAMES_MAX 16

struct import_fixture {
    char *folder;
    char *paths[NAMES_MAX];
    size_t path_count;
    struct buf out;
    struct dataset d;
    struct import_info info;
    char why[IMPORT_WHY_SIZE];
};

int import_fixture_set_up(void **state);
int import_fixture_tear_down(void **state);

/* import_fixture_put: a new file; its path, owned by f.  _put_text: of a C
 * string. */
const char *import_fixture_put(struct import_fixture *f, const char *name,
                               const void *data, size_t size);
const char *import_fixture_put_text(struct import_fixture *f, const char *name,
                                    const char *text);

/* import_fixture_run: imports into f->out, f->d, f->info or f->why; fails the
 * test when these do not go together.  _run_text: a CSV file of that text. */
enum pot_err import_fixture_run(struct import_fixture *f,
                                const struct import_options *options);
enum pot_err import_fixture_run_text(struct import_fixture *f, const char *text,
                                     const char *label);

/* import_fixture_value: one feature; _class: a row's class, until the next
 * call. */
double import_fixture_value(const struct import_fixture *f, size_t row,
                            size_t column);
const char *import_fixture_class(struct import_fixture *f, size_t row);

bool import_fixture_is_near(double a, double b);

#endif
