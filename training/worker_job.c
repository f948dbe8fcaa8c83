#include "config.h"

#include "training/worker_job.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/clock.h"
#include "training/kernel.h"
#include "training/mlp.h"
#include "training/quantise.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_ROWS_MAX  4096
#define ROWS_MAX        (UINT64_C(1) << 24)
#define ARENA_BYTES_MAX ((size_t)8 << 30)
#define LOSS_SCALE      0x1p24
#define LOSS_MAX        0x1p62

struct worker_state {
    struct worker_shm *shm;
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

/* The functions below return what is wrong with a job, or NULL. */

struct worker_state *worker_state_new(struct worker_shm *shm)
{
    struct worker_state *s = pot_calloc(1, sizeof(*s));
    s->shm = shm;
    return s;
}

static void forget_dataset(struct worker_state *s)
{
    if (s->data != NULL) {
        int rc = munmap(s->data, s->data_size);
        POT_ASSERT(rc == 0);
    }
    s->data = NULL;
    s->data_size = 0;
}

void worker_state_free(struct worker_state *s)
{
    if (s != NULL) {
        forget_dataset(s);
        mlp_free(s->mlp);
        free(s->rows);
        free(s);
    }
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
           a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static const char *map_dataset(struct worker_state *s, int fd,
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
    s->data = data;
    s->data_size = size;
    s->info = *info;
    if (dataset_view(&s->dataset, data, size) != POT_OK) {
        forget_dataset(s);
        return "the data set is malformed";
    }
    return NULL;
}

static const char *prepare_dataset(struct worker_state *s, const char *path)
{
    struct stat info;
    const char *wrong = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &info) != 0) {
        wrong = "the data set cannot be opened";
        goto out;
    }
    if (s->data != NULL && is_same_file(&info, &s->info)) {
        goto out;
    }
    forget_dataset(s);
    wrong = map_dataset(s, fd, &info);
out:
    if (fd >= 0) {
        (void)close(fd);
    }
    return wrong;
}

static bool is_known_model(const struct worker_job *job)
{
    return kernel_has_activation(job->activation) &&
           (job->loss == POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY ||
            job->loss == POT__LOSS__LOSS_MSE);
}

static bool is_same_model(const struct mlp_config *a,
                          const struct mlp_config *b)
{
    return a->shape.width_count == b->shape.width_count &&
           memcmp(a->shape.widths, b->shape.widths,
                  a->shape.width_count * sizeof(*a->shape.widths)) == 0 &&
           a->activation == b->activation && a->loss == b->loss &&
           a->block_rows == b->block_rows;
}

static const char *prepare_model(struct worker_state *s,
                                 const struct worker_job *job)
{
    struct mlp_config config = {
        .activation = (Pot__Activation)job->activation,
        .loss = (Pot__Loss)job->loss,
        .block_rows = job->block_rows,
    };
    if (!is_known_model(job)) {
        return "the activation or the loss is unknown";
    }
    if (model_shape_init(&config.shape, job->widths, job->width_count) !=
        POT_OK) {
        return "the model's layers are out of bounds";
    }
    if (job->block_rows == 0 || job->block_rows > BLOCK_ROWS_MAX ||
        job->row_count / job->block_rows >= KERNEL_BLOCKS_MAX ||
        mlp_arena_bytes(&config) > ARENA_BYTES_MAX) {
        return "the block of rows is out of bounds";
    }
    if (s->mlp == NULL || !is_same_model(&config, &s->config)) {
        mlp_free(s->mlp);
        s->mlp = mlp_new(&config);
        s->config = config;
    }
    return mlp_fits(s->mlp, &s->dataset)
               ? NULL
               : "the data set does not fit the model";
}

static bool is_within(uint64_t offset, uint64_t count, size_t element,
                      uint64_t size)
{
    return offset % 8 == 0 && offset <= size &&
           count <= (size - offset) / element;
}

static const char *prepare_shared(struct worker_state *s,
                                  const struct worker_job *job)
{
    uint64_t parameters = s->config.shape.parameter_count;
    if (job->row_count == 0 || job->row_count > ROWS_MAX) {
        return "the number of rows is out of bounds";
    }
    if (job->shared_bytes > SIZE_MAX ||
        worker_shm_map(s->shm, (size_t)job->shared_bytes) != POT_OK) {
        return "the shared memory is not of that size";
    }
    uint64_t size = s->shm->size;
    if (!is_within(job->theta_offset, parameters, sizeof(int32_t), size) ||
        !is_within(job->rows_offset, job->row_count, sizeof(uint64_t), size) ||
        !is_within(job->sums_offset, parameters, sizeof(int64_t), size)) {
        return "an array does not lie within the shared memory";
    }
    return NULL;
}

/* The rows are copied first: what was checked cannot change any more. */
static const char *prepare_rows(struct worker_state *s,
                                const struct worker_job *job)
{
    size_t count = (size_t)job->row_count;
    if (count > s->row_capacity) {
        s->rows = pot_realloc(s->rows, count, sizeof(*s->rows));
        s->row_capacity = count;
    }
    memcpy(s->rows, (const char *)s->shm->data + job->rows_offset,
           count * sizeof(*s->rows));
    for (size_t i = 0; i < count; i++) {
        if (s->rows[i] >= s->dataset.rows) {
            return "a row lies beyond the data set's end";
        }
    }
    return NULL;
}

/* Block by block; the gradients and losses are added up as integers. */
static const char *compute(int64_t *loss_sum, struct worker_state *s,
                           const struct worker_job *job)
{
    void *shared = s->shm->data;
    int64_t *sums = (int64_t *)(void *)((char *)shared + job->sums_offset);
    size_t parameters = s->config.shape.parameter_count;
    *loss_sum = 0;
    mlp_set_parameters(
        s->mlp, (const int32_t *)(void *)((char *)shared + job->theta_offset));
    for (size_t first = 0; first < job->row_count; first += job->block_rows) {
        double loss;
        size_t left = (size_t)job->row_count - first;
        size_t count = left < job->block_rows ? left : job->block_rows;
        mlp_load(s->mlp, &s->dataset, s->rows + first, count);
        const float *gradient = mlp_backward(s->mlp, &loss);
        loss *= LOSS_SCALE;
        if (!(fabs(loss) <= LOSS_MAX) ||
            !kernel_to_grid(sums, gradient, parameters, first > 0)) {
            return "the loss or the gradient is not a finite number";
        }
        int64_t part = llrint(loss);
        quantise_add(loss_sum, &part, 1);
    }
    return NULL;
}

void worker_state_run(struct worker_message *reply, struct worker_state *s,
                      const struct worker_job *job)
{
    uint64_t start_us = clock_steady_us();
    int64_t loss_sum = 0;
    const char *wrong = prepare_dataset(s, job->path);
    if (wrong == NULL) {
        wrong = prepare_model(s, job);
    }
    if (wrong == NULL) {
        wrong = prepare_shared(s, job);
    }
    if (wrong == NULL) {
        wrong = prepare_rows(s, job);
    }
    if (wrong == NULL) {
        wrong = compute(&loss_sum, s, job);
    }
    memset(reply, 0, sizeof(*reply));
    if (wrong != NULL) {
        reply->type = WORKER_ERROR;
        reply->error.job = job->job;
        (void)snprintf(reply->error.text, sizeof(reply->error.text), "%s",
                       wrong);
        return;
    }
    reply->type = WORKER_DONE;
    reply->done = (struct worker_done){
        .job = job->job,
        .rows = job->row_count,
        .loss_sum = loss_sum,
        .elapsed_us = clock_steady_us() - start_us,
    };
}
