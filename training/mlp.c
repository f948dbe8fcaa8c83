/* One arena holds all of a model's arrays, one behind the other, each from a
 * cache line on:
 *
 *   parameters  (P)
 *   slice       a piece of the gradient
 *   x[0..L]     (block_rows, widths[l]): inputs, then each layer's outputs
 *   dz[0..1]    (block_rows, largest width behind the input): the gradient
 *               of a layer's outputs, from the last layer down, in turns
 *   targets     (block_rows, 1) for labels that are numbers
 *   classes     (block_rows)
 *   columns     (block_rows, rows of a slice): those of dz
 *   scratch     of the products */
#include "config.h"

#include "training/mlp.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/fixed.h"
#include "training/kernel.h"
#include "training/quantise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_LINE 64
#define Q24_SCALE  0x1p-24F
#define LOSS_SCALE 0x1p24
#define LOSS_MAX   0x1p62
#define RATE_SCALE 0x1p-28F
/* A gradient is taken in slices of about so many floats, which the second
 * cache holds until somebody has taken them; and of as many rows at least. */
#define SLICE_FLOATS   ((size_t)131072)
#define SLICE_ROWS_MIN ((size_t)32)

_Static_assert(RATE_BITS == 28, "RATE_SCALE is the unit of Q4.28");
_Static_assert(FIXED_BITS == 24, "Q24_SCALE is the unit of Q8.24");
_Static_assert(sizeof(float) == sizeof(uint32_t), "arrays are counted in one");

struct mlp {
    struct mlp_config config;
    void *arena;
    float *parameters;
    float *slice;
    size_t slice_floats;
    float *columns;
    float *x[LAYERS_MAX];
    float *dz[2];
    float *targets;
    uint32_t *classes;
    float *scratch;
    size_t rows; /* loaded: <= config.block_rows */
    bool has_targets;
};

/* Hands out pieces of the arena, or only counts while it has none. */
struct carver {
    char *arena;
    size_t size; /* SIZE_MAX: overflown, and stays so */
};

static void *carve(struct carver *c, size_t rows, size_t width)
{
    size_t bytes = 0;
    size_t size = c->size;
    void *at = c->arena == NULL ? NULL : c->arena + size;
    if (__builtin_mul_overflow(rows, width, &bytes) ||
        __builtin_mul_overflow(bytes, sizeof(float), &bytes) ||
        __builtin_add_overflow(bytes, CACHE_LINE - 1, &bytes) ||
        __builtin_add_overflow(size, bytes / CACHE_LINE * CACHE_LINE, &size)) {
        size = SIZE_MAX;
    }
    c->size = c->size == SIZE_MAX ? SIZE_MAX : size;
    return at;
}

/* Rows of a layer's weights in a slice: all slices about as high. */
static size_t slice_rows(size_t d_in, size_t d_out)
{
    size_t most = SLICE_FLOATS / d_in;
    most = most < SLICE_ROWS_MIN ? SLICE_ROWS_MIN : most;
    size_t count = (d_out + most - 1) / most;
    return (d_out + count - 1) / count;
}

static void carve_all(struct mlp *m, struct carver *c)
{
    const struct model_shape *shape = &m->config.shape;
    size_t rows = m->config.block_rows;
    size_t widest = 0;
    size_t highest = 0;
    m->parameters = carve(c, 1, shape->parameter_count);
    for (size_t l = 0; l < shape->width_count; l++) {
        m->x[l] = carve(c, rows, shape->widths[l]);
        if (l == 0) {
            continue;
        }
        size_t d_in = shape->widths[l - 1];
        size_t height = slice_rows(d_in, shape->widths[l]);
        size_t floats = height * d_in;
        widest = shape->widths[l] > widest ? shape->widths[l] : widest;
        highest = height > highest ? height : highest;
        m->slice_floats = floats > m->slice_floats ? floats : m->slice_floats;
    }
    m->slice_floats = widest > m->slice_floats ? widest : m->slice_floats;
    m->slice = carve(c, 1, m->slice_floats);
    m->columns = carve(c, rows, highest);
    m->dz[0] = carve(c, rows, widest);
    m->dz[1] = carve(c, rows, widest);
    m->targets = carve(c, rows, 1);
    m->classes = carve(c, rows, 1);
    m->scratch = carve(c, 1, PRODUCT_SCRATCH);
}

size_t mlp_arena_bytes(const struct mlp_config *config)
{
    struct mlp counted = {.config = *config};
    struct carver c = {0};
    carve_all(&counted, &c);
    return c.size;
}

struct mlp *mlp_new(const struct mlp_config *config)
{
    size_t size = mlp_arena_bytes(config);
    POT_ASSERT(config->block_rows > 0);
    POT_ASSERT(size <= SIZE_MAX - CACHE_LINE);
    struct mlp *m = pot_calloc(1, sizeof(*m));
    m->config = *config;
    m->arena = pot_alloc(size + CACHE_LINE);
    size_t unaligned = (uintptr_t)m->arena % CACHE_LINE;
    struct carver c = {.arena = (char *)m->arena + CACHE_LINE - unaligned};
    carve_all(m, &c);
    POT_ASSERT(c.size == size);
    return m;
}

void mlp_free(struct mlp *m)
{
    if (m != NULL) {
        free(m->arena);
        free(m);
    }
}

void mlp_set_parameters(struct mlp *m, const int32_t *theta)
{
    kernel_from_fixed(m->parameters, theta, m->config.shape.parameter_count);
}

static size_t outputs_of(const struct mlp *m)
{
    return m->config.shape.widths[m->config.shape.width_count - 1];
}

bool mlp_fits(const struct mlp *m, const struct dataset *d)
{
    return model_fits(&m->config.shape, m->config.loss, d->features,
                      d->classes) == MODEL_FITS;
}

/* Rows lie anywhere in a data set that no cache holds: they are asked for
 * before it is their turn. */
#define ROWS_AHEAD 4

static void fetch_ahead(const uint8_t *from, size_t size)
{
    for (size_t i = 0; i < size; i += CACHE_LINE) {
        __builtin_prefetch(from + i);
    }
}

static void load_bytes(float *x, const struct dataset *d, const uint64_t *rows,
                       size_t count)
{
    float of_byte[256];
    size_t features = d->features;
    for (size_t i = 0; i < 256; i++) {
        of_byte[i] = (float)d->of_byte[i] * Q24_SCALE;
    }
    for (size_t i = 0; i < count; i++, x += features) {
        const uint8_t *from = d->feature_data + rows[i] * features;
        if (i + ROWS_AHEAD < count) {
            fetch_ahead(d->feature_data + rows[i + ROWS_AHEAD] * features,
                        features);
        }
#pragma GCC unroll 8
        for (size_t c = 0; c < features; c++) {
            x[c] = of_byte[from[c]];
        }
    }
}

/* A row's integers are read into the place of its floats: same size. */
static void load_fixed(float *x, const struct dataset *d, const uint64_t *rows,
                       size_t count)
{
    for (size_t i = 0; i < count; i++, x += d->features) {
        dataset_row((int32_t *)(void *)x, d, rows[i]);
        for (size_t c = 0; c < d->features; c++) {
            int32_t value;
            memcpy(&value, x + c, sizeof(value));
            x[c] = (float)value * Q24_SCALE;
        }
    }
}

void mlp_load(struct mlp *m, const struct dataset *d, const uint64_t *rows,
              size_t count)
{
    POT_ASSERT(mlp_fits(m, d));
    POT_ASSERT(count > 0 && count <= m->config.block_rows);
    m->rows = count;
    m->has_targets = d->classes == 0;
    for (size_t i = 0; i < count; i++) {
        POT_ASSERT(rows[i] < d->rows);
        if (m->has_targets) {
            m->targets[i] = (float)dataset_target(d, rows[i]) * Q24_SCALE;
        } else {
            m->classes[i] = dataset_class(d, rows[i]);
        }
    }
    if (d->type == DATASET_U8) {
        load_bytes(m->x[0], d, rows, count);
    } else {
        load_fixed(m->x[0], d, rows, count);
    }
}

static struct kernel_dense dense_of(const struct mlp *m, size_t l)
{
    return (struct kernel_dense){
        .product = m->config.product,
        .scratch = m->scratch,
        .n = m->rows,
        .d_in = m->config.shape.widths[l],
        .d_out = m->config.shape.widths[l + 1],
    };
}

const float *mlp_forward(struct mlp *m)
{
    const struct model_shape *shape = &m->config.shape;
    POT_ASSERT(m->rows > 0);
    for (size_t l = 0; l < shape->layer_count; l++) {
        const float *w = m->parameters + shape->tensors[2 * l].offset;
        const float *b = m->parameters + shape->tensors[2 * l + 1].offset;
        struct kernel_dense dense = dense_of(m, l);
        kernel_dense_forward(m->x[l + 1], &dense, m->x[l], w, b);
        if (l + 1 < shape->layer_count) {
            kernel_activate(m->x[l + 1], m->rows * shape->widths[l + 1],
                            m->config.activation);
        }
    }
    return m->x[shape->layer_count];
}

static double loss_backward(float *dz, struct mlp *m, const float *y)
{
    size_t outputs = outputs_of(m);
    if (m->config.loss == POT__LOSS__LOSS_MSE) {
        const float *t = m->has_targets ? m->targets : NULL;
        return kernel_mse(dz, y, t, m->classes, m->rows, outputs);
    }
    return kernel_softmax_cross_entropy(dz, y, m->classes, m->rows, outputs);
}

static bool give_out(struct mlp *m, size_t l, struct mlp_taker taker)
{
    const struct model_shape *shape = &m->config.shape;
    struct kernel_dense dense = dense_of(m, l);
    size_t height = slice_rows(dense.d_in, dense.d_out);
    kernel_dense_bias(m->slice, &dense, m->dz[0]);
    bool is_taken = taker.take(taker.context, m->slice,
                               shape->tensors[2 * l + 1].offset, dense.d_out);
    for (size_t row = 0; is_taken && row < dense.d_out; row += height) {
        size_t left = dense.d_out - row;
        size_t count = left < height ? left : height;
        kernel_dense_gradient(m->slice, m->columns, &dense, m->dz[0], m->x[l],
                              row, count);
        is_taken = taker.take(taker.context, m->slice,
                              shape->tensors[2 * l].offset + row * dense.d_in,
                              count * dense.d_in);
    }
    return is_taken;
}

bool mlp_backward(struct mlp *m, double *loss_sum, struct mlp_taker taker)
{
    const struct model_shape *shape = &m->config.shape;
    const float *y = mlp_forward(m);
    bool is_taken = true;
    *loss_sum = loss_backward(m->dz[0], m, y);
    for (size_t l = shape->layer_count; is_taken && l-- > 0;) {
        float *dx = m->dz[1];
        if (l > 0) {
            struct kernel_dense dense = dense_of(m, l);
            kernel_dense_backward(dx, &dense, m->dz[0],
                                  m->parameters + shape->tensors[2 * l].offset);
            kernel_activate_backward(dx, m->x[l], m->rows * shape->widths[l],
                                     m->config.activation);
        }
        is_taken = give_out(m, l, taker);
        m->dz[1] = m->dz[0];
        m->dz[0] = dx;
    }
    return is_taken;
}

void mlp_step(struct mlp *m, const float *gradient, float rate, size_t first,
              size_t count)
{
    kernel_step(m->parameters + first, gradient, rate, count);
}

/* False: the loss is no finite number. */
static bool add_loss(int64_t *loss_sum, double loss)
{
    loss *= LOSS_SCALE;
    if (!(fabs(loss) <= LOSS_MAX)) {
        return false;
    }
    int64_t rounded = llrint(loss);
    quantise_add(loss_sum, &rounded, 1);
    return true;
}

struct summing {
    int64_t *sums;
    bool is_added; /* to those of earlier blocks */
};

static bool take_sums(void *context, const float *values, size_t first,
                      size_t count)
{
    const struct summing *s = context;
    return kernel_to_grid(s->sums + first, values, count, s->is_added);
}

bool mlp_sum(int64_t *sums, int64_t *loss_sum, struct mlp *m,
             const struct dataset *d, const uint64_t *rows, size_t count)
{
    size_t block = m->config.block_rows;
    struct summing summing = {sums, false};
    *loss_sum = 0;
    for (size_t first = 0; first < count; first += block) {
        size_t left = count - first;
        double loss;
        mlp_load(m, d, rows + first, left < block ? left : block);
        if (!mlp_backward(m, &loss, (struct mlp_taker){take_sums, &summing}) ||
            !add_loss(loss_sum, loss)) {
            return false;
        }
        summing.is_added = true;
    }
    return true;
}

struct stepping {
    struct mlp *m;
    float rate;
};

static bool take_step(void *context, const float *values, size_t first,
                      size_t count)
{
    const struct stepping *s = context;
    mlp_step(s->m, values, s->rate, first, count);
    return true;
}

/* sums = theta - parameters */
static bool put_way(int64_t *sums, struct mlp *m, const int32_t *theta)
{
    size_t count = m->config.shape.parameter_count;
    for (size_t i = 0; i < count; i += m->slice_floats) {
        size_t left = count - i;
        size_t piece = left < m->slice_floats ? left : m->slice_floats;
        const float *parameters = m->parameters + i;
        kernel_from_fixed(m->slice, theta + i, piece);
        for (size_t j = 0; j < piece; j++) {
            m->slice[j] -= parameters[j];
        }
        if (!kernel_to_grid(sums + i, m->slice, piece, false)) {
            return false;
        }
    }
    return true;
}

bool mlp_walk(int64_t *sums, int64_t *loss_sum, struct mlp *m,
              const struct mlp_walk *walk, const struct dataset *d,
              const uint64_t *rows)
{
    size_t batch = walk->batch_rows;
    struct stepping stepping = {m,
                                (float)walk->rate * RATE_SCALE / (float)batch};
    *loss_sum = 0;
    mlp_set_parameters(m, walk->theta);
    for (uint32_t step = 0; step < walk->steps; step++) {
        double loss;
        mlp_load(m, d, rows + step * batch, batch);
        (void)mlp_backward(m, &loss, (struct mlp_taker){take_step, &stepping});
        if (!add_loss(loss_sum, loss)) {
            return false;
        }
    }
    return put_way(sums, m, walk->theta);
}
