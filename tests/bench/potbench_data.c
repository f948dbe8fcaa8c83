#include "config.h"

#include "tests/bench/potbench_data.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/file.h"
#include "proto/dataset.h"
#include "tests/rng.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TASK_BYTES_MAX 8192

const struct potbench_model potbench_models[] = {
    {"fashion", "784-128-10", {784, 128, 10}, 10000, 1000, 128, 25},
    {"digits", "64-32-10", {64, 32, 10}, 1438, 359, 256, 10},
};
const size_t potbench_model_count =
    sizeof(potbench_models) / sizeof(*potbench_models);

/* A pixel of a class is bright or dark, the same for all its rows, under
 * noise that hides which in any one pixel. */
static void fill(uint8_t *at, const struct potbench_model *m, uint64_t rows,
                 uint64_t seed)
{
    uint64_t state = seed;
    uint32_t classes = m->widths[2];
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
    POT_ASSERT(m->widths[2] <= 16);
    for (uint32_t i = 0; i < m->widths[2]; i++) {
        (void)snprintf(texts[i], sizeof(texts[i]), "%" PRIu32, i);
        names[i] = texts[i];
    }
    return dataset_header(size, rows, m->widths[0], m->widths[2], DATASET_U8,
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

static enum exit_code write_task(struct potbench *bench, const char *folder,
                                 const struct potbench_model *m,
                                 uint64_t rows_per_miner, uint64_t rounds)
{
    struct buf text;
    enum exit_code rc = EXIT_CODE_DONE;
    char *path = file_join(folder, "task.toml");
    buf_init(&text, TASK_BYTES_MAX);
    buf_printf(&text,
               "name = \"%s\"\n"
               "[data]\ntrain = \"train.pds\"\ntest = \"test.pds\"\n"
               "[model]\nlayers = [%" PRIu32 ", %" PRIu32 ", %" PRIu32 "]\n"
               "activation = \"relu\"\n"
               "[optimizer]\nlearning_rate = 0.05\n"
               "[training]\nrounds = %" PRIu64 "\nrows_per_miner = %" PRIu64
               "\neval_every = %" PRIu32 "\naudit_rate = 0.1\n"
               "numerics = \"blas\"\n"
               "[reward]\nbudget = \"1000\"\n",
               m->name, m->widths[0], m->widths[1], m->widths[2], rounds,
               rows_per_miner, m->eval_every);
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
                                  const struct potbench_model *m,
                                  uint64_t rows_per_miner, uint64_t rounds)
{
    char *train = file_join(folder, "train.pds");
    char *test = file_join(folder, "test.pds");
    enum exit_code rc = potbench_data_write(bench, train, m, m->rows, 1);
    if (rc == EXIT_CODE_DONE) {
        rc = potbench_data_write(bench, test, m, m->test_rows, 2);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = write_task(bench, folder, m, rows_per_miner, rounds);
    }
    free(train);
    free(test);
    return rc;
}
