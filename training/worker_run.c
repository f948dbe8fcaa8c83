#include "config.h"

#include "training/worker_run.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "training/kernel.h"
#include "training/mlp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_ROWS_MAX  LOCAL_ROWS_MAX
#define ROWS_MAX        (UINT64_C(1) << 24)
#define ARENA_BYTES_MAX ((size_t)8 << 30)

struct worker_run {
    struct worker_shm *shm;
    const struct product *exact;
    /* The mapped data set; data is NULL when there is none. */
    struct stat info;
    void *data;
    size_t data_size;
    struct dataset dataset;
    /* The model; NULL when there is none. */
    struct mlp_config config;
    struct mlp *mlp;
    uint64_t *rows; /* copied out of the shared memory */
    size_t row_capacity;
};

/* The functions below return what is wrong with a part, or NULL. */

struct worker_run *worker_run_new(struct worker_shm *shm,
                                  const struct product *exact)
{
    struct worker_run *run = pot_calloc(1, sizeof(*run));
    run->shm = shm;
    run->exact = exact;
    return run;
}

static void forget_dataset(struct worker_run *run)
{
    if (run->data != NULL) {
        int rc = munmap(run->data, run->data_size);
        POT_ASSERT(rc == 0);
    }
    run->data = NULL;
    run->data_size = 0;
}

void worker_run_free(struct worker_run *run)
{
    if (run != NULL) {
        forget_dataset(run);
        mlp_free(run->mlp);
        free(run->rows);
        free(run);
    }
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
           a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static const char *map_dataset(struct worker_run *run, int fd,
                               const struct stat *info)
{
    size_t size = (size_t)info->st_size;
    if (!S_ISREG(info->st_mode) || info->st_size <= 0) {
        return "the data set is not a file with data";
    }
    void *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) {
        return "the data set cannot be mapped into memory";
    }
    run->data = data;
    run->data_size = size;
    run->info = *info;
    if (dataset_view(&run->dataset, data, size) != POT_OK) {
        forget_dataset(run);
        return "the data set is malformed";
    }
    return NULL;
}

static const char *prepare_dataset(struct worker_run *run, const char *path)
{
    struct stat info;
    const char *wrong = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &info) != 0) {
        wrong = "the data set cannot be opened";
        goto out;
    }
    if (run->data != NULL && is_same_file(&info, &run->info)) {
        goto out;
    }
    forget_dataset(run);
    wrong = map_dataset(run, fd, &info);
out:
    if (fd >= 0) {
        (void)close(fd);
    }
    return wrong;
}

static bool is_known_model(const struct worker_part *part)
{
    return kernel_has_activation(part->activation) &&
           (part->loss == POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY ||
            part->loss == POT__LOSS__LOSS_MSE);
}

static bool is_same_model(const struct mlp_config *a,
                          const struct mlp_config *b)
{
    return a->shape.width_count == b->shape.width_count &&
           memcmp(a->shape.widths, b->shape.widths,
                  a->shape.width_count * sizeof(*a->shape.widths)) == 0 &&
           a->activation == b->activation && a->loss == b->loss &&
           a->product == b->product && a->block_rows == b->block_rows;
}

/* NULL: no lane of this version. */
static const struct product *product_of(const struct worker_run *run,
                                        uint32_t numerics)
{
    if (numerics == POT__NUMERICS__NUMERICS_EXACT) {
        return run->exact;
    }
    return numerics == POT__NUMERICS__NUMERICS_BLAS ? &product_blas : NULL;
}

static const char *prepare_model(struct worker_run *run,
                                 const struct worker_part *part)
{
    struct mlp_config config = {
        .activation = (Pot__Activation)part->activation,
        .loss = (Pot__Loss)part->loss,
        .product = product_of(run, part->numerics),
        .block_rows = part->block_rows,
    };
    if (!is_known_model(part) || config.product == NULL) {
        return "the activation, the loss or the lane is unknown";
    }
    if (model_shape_init(&config.shape, part->widths, part->width_count) !=
        POT_OK) {
        return "the model's layers are out of bounds";
    }
    if (part->block_rows == 0 || part->block_rows > BLOCK_ROWS_MAX ||
        mlp_arena_bytes(&config) > ARENA_BYTES_MAX) {
        return "the block of rows is out of bounds";
    }
    if (run->mlp == NULL || !is_same_model(&config, &run->config)) {
        mlp_free(run->mlp);
        run->mlp = mlp_new(&config);
        run->config = config;
    }
    return mlp_fits(run->mlp, &run->dataset)
               ? NULL
               : "the data set does not fit the model";
}

static bool is_within(uint64_t offset, uint64_t count, size_t element,
                      uint64_t size)
{
    return offset % 8 == 0 && offset <= size &&
           count <= (size - offset) / element;
}

static const char *prepare_shared(struct worker_run *run,
                                  const struct worker_part *part)
{
    uint64_t parameters = run->config.shape.parameter_count;
    if (part->row_count == 0 || part->row_count > ROWS_MAX) {
        return "the number of rows is out of bounds";
    }
    if (part->shared_bytes > SIZE_MAX ||
        worker_shm_map(run->shm, (size_t)part->shared_bytes) != POT_OK) {
        return "the shared memory is not of that size";
    }
    uint64_t size = run->shm->size;
    if (!is_within(part->theta_offset, parameters, sizeof(int32_t), size) ||
        !is_within(part->rows_offset, part->row_count, sizeof(uint64_t),
                   size) ||
        !is_within(part->sums_offset, parameters, sizeof(int64_t), size)) {
        return "an array does not lie within the shared memory";
    }
    return NULL;
}

/* The rows are copied first: what was checked cannot change any more. */
static const char *prepare_rows(struct worker_run *run,
                                const struct worker_part *part)
{
    size_t count = (size_t)part->row_count;
    if (count > run->row_capacity) {
        run->rows = pot_realloc(run->rows, count, sizeof(*run->rows));
        run->row_capacity = count;
    }
    memcpy(run->rows, (const char *)run->shm->data + part->rows_offset,
           count * sizeof(*run->rows));
    for (size_t i = 0; i < count; i++) {
        if (run->rows[i] >= run->dataset.rows) {
            return "a row lies beyond the data set's end";
        }
    }
    return NULL;
}

static const char *prepare_steps(const struct worker_part *part)
{
    uint32_t steps = part->local_steps;
    if (steps <= 1) {
        return NULL;
    }
    return part->row_count % steps == 0 &&
                   part->row_count / steps == part->block_rows
               ? NULL
               : "the local steps are not one a block";
}

/* False: the loss or the gradient is not a finite number. */
static bool compute(int64_t *loss_sum, struct worker_run *run,
                    const struct worker_part *part)
{
    char *shared = run->shm->data;
    int64_t *sums = (int64_t *)(void *)(shared + part->sums_offset);
    const int32_t *theta =
        (const int32_t *)(void *)(shared + part->theta_offset);
    const struct mlp_walk walk = {theta, part->local_rate, part->local_steps,
                                  part->block_rows};
    if (part->local_steps > 1) {
        return mlp_walk(sums, loss_sum, run->mlp, &walk, &run->dataset,
                        run->rows);
    }
    mlp_borrow_parameters(run->mlp, theta);
    return mlp_sum(sums, loss_sum, run->mlp, &run->dataset, run->rows,
                   (size_t)part->row_count);
}

static void refuse(struct worker_message *reply, uint64_t job, const char *why)
{
    reply->type = WORKER_ERROR;
    reply->error.job = job;
    (void)snprintf(reply->error.text, sizeof(reply->error.text), "%s", why);
}

void worker_run_part(struct worker_message *reply, struct worker_run *run,
                     const struct worker_part *part)
{
    uint64_t start_us = clock_steady_us();
    int64_t loss_sum = 0;
    const char *wrong = prepare_dataset(run, part->path);
    if (wrong == NULL) {
        wrong = prepare_model(run, part);
    }
    if (wrong == NULL) {
        wrong = prepare_shared(run, part);
    }
    if (wrong == NULL) {
        wrong = prepare_rows(run, part);
    }
    if (wrong == NULL) {
        wrong = prepare_steps(part);
    }
    memset(reply, 0, sizeof(*reply));
    if (wrong != NULL) {
        refuse(reply, part->job, wrong);
        return;
    }
    if (!compute(&loss_sum, run, part)) {
        reply->type = WORKER_DIVERGED;
        reply->diverged.job = part->job;
        return;
    }
    reply->type = WORKER_DONE;
    reply->done = (struct worker_done){
        .job = part->job,
        .rows = part->row_count,
        .loss_sum = loss_sum,
        .elapsed_us = clock_steady_us() - start_us,
    };
}
