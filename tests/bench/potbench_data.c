#include "config.h"

#include "tests/bench/potbench_data.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/file.h"
#include "proto/dataset.h"
#include "tests/rng.h"
#include "training/import.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TASK_BYTES_MAX 8192

const struct potbench_model potbench_models[] = {
    {.name = "fashion",
     .text = "784-128-10",
     .widths = {784, 128, 10},
     .width_count = 3,
     .rows = 10000,
     .test_rows = 1000,
     .rows_per_miner = 128,
     .eval_every = 25,
     .numerics = POT__NUMERICS__NUMERICS_BLAS,
     .local_steps = 1},
    {.name = "digits",
     .text = "64-32-10",
     .widths = {64, 32, 10},
     .width_count = 3,
     .rows = 1438,
     .test_rows = 359,
     .rows_per_miner = 256,
     .eval_every = 10,
     .numerics = POT__NUMERICS__NUMERICS_BLAS,
     .local_steps = 1},
};
const size_t potbench_model_count =
    sizeof(potbench_models) / sizeof(*potbench_models);

const struct potbench_model potbench_light = {
    .name = "light",
    .text = "64-32-10",
    .widths = {64, 32, 10},
    .width_count = 3,
    .rows = 1438,
    .test_rows = 359,
    .rows_per_miner = 256,
    .eval_every = 10,
    .numerics = POT__NUMERICS__NUMERICS_EXACT,
    .local_steps = 1,
};

const struct potbench_model potbench_wide = {
    .name = "wide",
    .text = "784-512-512-10",
    .widths = {784, 512, 512, 10},
    .width_count = 4,
    .rows = 60000,
    .test_rows = 10000,
    .rows_per_miner = 1664,
    .eval_every = 20,
    .numerics = POT__NUMERICS__NUMERICS_EXACT,
    .local_steps = 1,
    .local_rate = 0.1,
};

static uint32_t classes_of(const struct potbench_model *m)
{
    return m->widths[m->width_count - 1];
}

/* A pixel of a class is bright or dark, the same for all its rows, under
 * noise that hides which in any one pixel. */
static void fill(uint8_t *at, const struct potbench_model *m, uint64_t rows,
                 uint64_t seed)
{
    uint64_t state = seed;
    uint32_t classes = classes_of(m);
    uint8_t *labels = at + rows * m->widths[0];
    for (uint64_t row = 0; row < rows; row++) {
        uint32_t class = (uint32_t)(rng_next(&state) % classes);
        for (uint32_t i = 0; i < m->widths[0]; i++) {
            bool is_bright = (rng_mix(class * 65537U + i + 1) & 3) == 0;
            *at++ =
                (uint8_t)((rng_next(&state) & 127) + (is_bright ? 64U : 0U));
        }
        *labels++ = (uint8_t) class;
        *labels++ = (uint8_t)(class >> 8);
    }
}

static uint8_t *make_header(size_t *size, const struct potbench_model *m,
                            uint64_t rows)
{
    char texts[16][16];
    const char *names[16];
    POT_ASSERT(classes_of(m) <= 16);
    for (uint32_t i = 0; i < classes_of(m); i++) {
        (void)snprintf(texts[i], sizeof(texts[i]), "%" PRIu32, i);
        names[i] = texts[i];
    }
    return dataset_header(size, rows, m->widths[0], classes_of(m), DATASET_U8,
                          255, names);
}

enum exit_code potbench_data_write(struct potbench *bench, const char *path,
                                   const struct potbench_model *m,
                                   uint64_t rows, uint64_t seed)
{
    size_t header_size;
    enum exit_code rc = EXIT_CODE_DONE;
    uint8_t *header = make_header(&header_size, m, rows);
    size_t size = header_size + (size_t)rows * (m->widths[0] + 2U);
    uint8_t *file = pot_alloc(size);
    memcpy(file, header, header_size);
    fill(file + header_size, m, rows, seed);
    enum pot_err err = file_replace(path, 0600, file, size);
    if (err != POT_OK) {
        rc = ctl_fail_err(&bench->ctl, err, "cannot write", path);
    }
    free(file);
    free(header);
    return rc;
}

static enum exit_code import_part(struct buf *out, struct dataset *d,
                                  struct potbench *bench, const char *part,
                                  const struct dataset *like, double *scale)
{
    char why[IMPORT_WHY_SIZE];
    char name[64];
    struct import_info info;
    (void)snprintf(name, sizeof(name), "%s-images-idx3-ubyte.gz", part);
    char *data = file_join(bench->data, name);
    (void)snprintf(name, sizeof(name), "%s-labels-idx1-ubyte.gz", part);
    char *labels = file_join(bench->data, name);
    const struct import_options options = {
        .data = data, .labels = labels, .like = like, .scale = *scale};
    enum exit_code rc = EXIT_CODE_DONE;
    if (import_file(out, &info, &options, why) != POT_OK ||
        dataset_view(d, out->data, out->size) != POT_OK) {
        rc = ctl_fail(&bench->ctl, EXIT_CODE_FAILED, "--data: %s", why);
    } else {
        *scale = info.scale;
    }
    free(data);
    free(labels);
    return rc;
}

static enum exit_code write_part(struct potbench *bench, const char *path,
                                 const struct buf *part)
{
    enum pot_err err = file_replace(path, 0600, part->data, part->size);
    return err == POT_OK ? EXIT_CODE_DONE
                         : ctl_fail_err(&bench->ctl, err, "cannot write", path);
}

static enum exit_code import_data(struct potbench *bench, const char *train,
                                  const char *test)
{
    struct buf train_bytes = {0};
    struct buf test_bytes = {0};
    struct dataset train_set;
    struct dataset test_set;
    double scale = 0.0;
    enum exit_code rc =
        import_part(&train_bytes, &train_set, bench, "train", NULL, &scale);
    if (rc == EXIT_CODE_DONE) {
        rc = import_part(&test_bytes, &test_set, bench, "t10k", &train_set,
                         &scale);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = write_part(bench, train, &train_bytes);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = write_part(bench, test, &test_bytes);
    }
    buf_fini(&train_bytes);
    buf_fini(&test_bytes);
    return rc;
}

static enum exit_code make_data(struct potbench *bench, const char *train,
                                const char *test,
                                const struct potbench_model *m)
{
    enum exit_code rc = potbench_data_write(bench, train, m, m->rows, 1);
    return rc == EXIT_CODE_DONE
               ? potbench_data_write(bench, test, m, m->test_rows, 2)
               : rc;
}

/* Local steps as examples/fashion-mnist/local-steps.toml has them. */
static void print_steps(struct buf *text, const struct potbench_model *m,
                        const char *numerics)
{
    if (m->local_steps > 1) {
        buf_printf(text,
                   "[optimizer]\nkind = \"nesterov\"\nlearning_rate = 0.7\n"
                   "momentum = 0.9\nlocal_rate = %.4f\n"
                   "[training]\nlocal_steps = %" PRIu32
                   "\ncompression = \"int4\"\nnumerics = \"%s\"\n",
                   m->local_rate, m->local_steps, numerics);
    } else {
        buf_printf(text,
                   "[optimizer]\nlearning_rate = %.2f\n"
                   "[training]\nnumerics = \"%s\"\n",
                   POTBENCH_RATE, numerics);
    }
}

static enum exit_code write_task(struct potbench *bench, const char *folder,
                                 const struct potbench_task *task)
{
    const struct potbench_model *m = task->model;
    struct buf text;
    enum exit_code rc = EXIT_CODE_DONE;
    char *path = file_join(folder, "task.toml");
    buf_init(&text, TASK_BYTES_MAX);
    buf_printf(&text,
               "name = \"%s\"\n"
               "[data]\ntrain = \"train.pds\"\ntest = \"test.pds\"\n"
               "[model]\nactivation = \"relu\"\nlayers = [%" PRIu32,
               m->name, m->widths[0]);
    for (size_t i = 1; i < m->width_count; i++) {
        buf_printf(&text, ", %" PRIu32, m->widths[i]);
    }
    buf_printf(&text, "]\n");
    print_steps(&text, m,
                m->numerics == POT__NUMERICS__NUMERICS_BLAS ? "blas" : "exact");
    buf_printf(&text,
               "rounds = %" PRIu64 "\nrows_per_miner = %" PRIu64
               "\neval_every = %" PRIu32 "\naudit_rate = %.6f\n"
               "min_submissions = %" PRIu64 "\nround_timeout_ms = %" PRIu64 "\n"
               "[reward]\nbudget = \"1000\"\n",
               task->rounds, task->rows_per_miner, m->eval_every,
               task->audit_rate, task->min_submissions, task->timeout_ms);
    POT_ASSERT(!text.is_overflown);
    enum pot_err err = file_replace(path, 0600, text.data, text.size);
    if (err != POT_OK) {
        rc = ctl_fail_err(&bench->ctl, err, "cannot write", path);
    }
    buf_fini(&text);
    free(path);
    return rc;
}

enum exit_code potbench_data_task(struct potbench *bench, const char *folder,
                                  const struct potbench_task *task)
{
    const struct potbench_model *m = task->model;
    char *train = file_join(folder, "train.pds");
    char *test = file_join(folder, "test.pds");
    enum exit_code rc = bench->data != NULL ? import_data(bench, train, test)
                                            : make_data(bench, train, test, m);
    if (rc == EXIT_CODE_DONE) {
        rc = write_task(bench, folder, task);
    }
    free(train);
    free(test);
    return rc;
}
