/* One arena holds all of a model's arrays, one behind the other, each from a
 * cache line on:
 *
 *   parameters  (P)
 *   x[0..L]     (rows, widths[l]): inputs, then each layer's outputs
 *   dz[0..1]    (rows, largest width behind the input): the gradient of a
 *               layer's outputs, from the last layer down, in turns
 *   targets     (rows, 1) for labels that are numbers
 *   classes     (rows)
 *   scratch     of the products, and between them of who needs some
 *
 * Where rows is a pass, which is one block or several: an output's bits are
 * its own row's, so it does not matter how many rows go beside it; gradients
 * are sums over a block's rows, and are told block by block. */
#include "config.h"

#include "training/mlp.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/fixed.h"
#include "base/limits.h"
#include "training/kernel.h"
#include "training/quantise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CACHE_LINE 64
/* The arena is asked for in pages of this size: rows of a matrix lie a small
 * page apart, and products go down its columns. */
#define LARGE_PAGE ((size_t)2 << 20)
#define Q24_SCALE  0x1p-24F
#define LOSS_SCALE 0x1p24
#define LOSS_MAX   0x1p62
#define RATE_SCALE 0x1p-28F
/* Rows that go through the layers at a time, if blocks are shorter: weights are
 * read once for all of them. */
#define PASS_ROWS ((size_t)512)
/* Parameters of which the way is told at a time. */
#define WAY_PIECE ((size_t)4096)

_Static_assert(RATE_BITS == 28, "RATE_SCALE is the unit of Q4.28");
_Static_assert(LAYER_WIDTH_MAX <= PRODUCT_SCRATCH &&
                   WAY_PIECE <= PRODUCT_SCRATCH,
               "the scratch has room for a bias, and for a piece of the way");
_Static_assert(FIXED_BITS == 24, "Q24_SCALE is the unit of Q8.24");
_Static_assert(sizeof(float) == sizeof(uint32_t), "arrays are counted in one");

struct mlp {
    struct mlp_config config;
    void *arena;
    float *parameters;
    const int32_t *theta; /* borrowed, weights are read there; or NULL */
    float *x[LAYERS_MAX];
    float *dz[2];
    float *targets;
    uint32_t *classes;
    float *scratch;
    size_t rows; /* loaded: of a pass at most */
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

/* As many whole blocks as PASS_ROWS holds, one at least. */
static size_t pass_rows(const struct mlp_config *config)
{
    size_t block = config->block_rows;
    return block < PASS_ROWS ? PASS_ROWS / block * block : block;
}

static void carve_all(struct mlp *m, struct carver *c)
{
    const struct model_shape *shape = &m->config.shape;
    size_t rows = pass_rows(&m->config);
    size_t widest = 0;
    m->parameters = carve(c, 1, shape->parameter_count);
    for (size_t l = 0; l < shape->width_count; l++) {
        m->x[l] = carve(c, rows, shape->widths[l]);
        if (l > 0 && shape->widths[l] > widest) {
            widest = shape->widths[l];
        }
    }
    m->dz[0] = carve(c, rows, widest);
    m->dz[1] = carve(c, rows, widest);
    m->targets = carve(c, rows, 1);
    m->classes = carve(c, rows, 1);
    m->scratch = carve(c, rows < PRODUCT_K_MIN ? PRODUCT_K_MIN : rows,
                       PRODUCT_SCRATCH_STEP);
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
    POT_ASSERT(size <= SIZE_MAX - LARGE_PAGE);
    struct mlp *m = pot_calloc(1, sizeof(*m));
    m->config = *config;
    m->arena = pot_alloc(size + LARGE_PAGE);
    size_t unaligned = (uintptr_t)m->arena % LARGE_PAGE;
    struct carver c = {.arena = (char *)m->arena + LARGE_PAGE - unaligned};
    (void)madvise(c.arena, size, MADV_HUGEPAGE); /* or small ones */
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
    m->theta = NULL;
    kernel_from_fixed(m->parameters, theta, m->config.shape.parameter_count);
}

void mlp_borrow_parameters(struct mlp *m, const int32_t *theta)
{
    const struct model_shape *shape = &m->config.shape;
    if (!m->config.product->takes_fixed) {
        mlp_set_parameters(m, theta);
        return;
    }
    m->theta = theta;
    for (size_t l = 0; l < shape->layer_count; l++) {
        const struct tensor_span *bias = &shape->tensors[2 * l + 1];
        kernel_from_fixed(m->parameters + bias->offset, theta + bias->offset,
                          bias->count);
    }
}

static struct product_weights weights_of(const struct mlp *m, size_t l)
{
    size_t at = m->config.shape.tensors[2 * l].offset;
    return m->theta == NULL
               ? (struct product_weights){.floats = m->parameters + at}
               : (struct product_weights){.fixed = m->theta + at};
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

/* Values that are not worked out by kernel_from_bytes are looked up. */
static void look_up(float *x, const float of_byte[static 256],
                    const uint8_t *from, size_t count)
{
#pragma GCC unroll 8
    for (size_t c = 0; c < count; c++) {
        x[c] = of_byte[from[c]];
    }
}

static void load_bytes(float *x, const struct dataset *d, const uint64_t *rows,
                       size_t count)
{
    float of_byte[256];
    struct kernel_bytes of;
    size_t features = d->features;
    bool is_computed = kernel_bytes_init(&of, d->of_byte, d->divisor);
    kernel_from_fixed(of_byte, d->of_byte, 256);
    for (size_t i = 0; i < count; i++, x += features) {
        const uint8_t *from = d->feature_data + rows[i] * features;
        if (i + ROWS_AHEAD < count) {
            fetch_ahead(d->feature_data + rows[i + ROWS_AHEAD] * features,
                        features);
        }
        if (is_computed) {
            kernel_from_bytes(x, of, from, features);
        } else {
            look_up(x, of_byte, from, features);
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
    POT_ASSERT(count > 0 && count <= pass_rows(&m->config));
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
        const float *b = m->parameters + shape->tensors[2 * l + 1].offset;
        struct kernel_dense dense = dense_of(m, l);
        kernel_dense_forward(m->x[l + 1], &dense, m->x[l], weights_of(m, l), b);
        if (l + 1 < shape->layer_count) {
            kernel_activate(m->x[l + 1], m->rows * shape->widths[l + 1],
                            m->config.activation);
        }
    }
    return m->x[shape->layer_count];
}

/* Rows of a block that begins at first. */
static size_t block_at(const struct mlp *m, size_t first)
{
    size_t left = m->rows - first;
    return left < m->config.block_rows ? left : m->config.block_rows;
}

static double loss_backward(float *dz, struct mlp *m, const float *y,
                            size_t first)
{
    size_t outputs = outputs_of(m);
    size_t rows = block_at(m, first);
    const uint32_t *classes = m->classes + first;
    dz += first * outputs;
    y += first * outputs;
    if (m->config.loss == POT__LOSS__LOSS_MSE) {
        const float *t = m->has_targets ? m->targets + first : NULL;
        return kernel_mse(dz, y, t, classes, rows, outputs);
    }
    return kernel_softmax_cross_entropy(dz, y, classes, rows, outputs);
}

static bool give_bias(struct mlp *m, const struct tensor_span *tensor,
                      struct product_taker taker)
{
    size_t d_out = tensor->count;
    bool is_taken = true;
    for (size_t i = 0; is_taken && i < m->rows; i += m->config.block_rows) {
        kernel_dense_bias(m->scratch, m->dz[0] + i * d_out, block_at(m, i),
                          d_out);
        struct product_piece piece = kernel_row(
            m->scratch, taker.origin + tensor->offset, d_out, i == 0);
        is_taken = taker.take(taker.context, &piece);
    }
    return is_taken;
}

static bool give_weights(struct mlp *m, size_t l, struct product_taker taker)
{
    struct kernel_dense dense = dense_of(m, l);
    taker.origin += m->config.shape.tensors[2 * l].offset;
    return kernel_dense_gradient(&taker, &dense, m->dz[0], m->x[l],
                                 m->config.block_rows);
}

/* The gradient of a layer's inputs, into the second of dz. */
static void backward_inputs(struct mlp *m, size_t l)
{
    float *dx = m->dz[1];
    if (l > 0) {
        struct kernel_dense dense = dense_of(m, l);
        kernel_dense_backward(dx, &dense, m->dz[0], weights_of(m, l));
        kernel_activate_backward(dx, m->x[l],
                                 m->rows * m->config.shape.widths[l],
                                 m->config.activation);
    }
}

/* From a layer to the one before. */
static void go_down(struct mlp *m)
{
    float *dx = m->dz[1];
    m->dz[1] = m->dz[0];
    m->dz[0] = dx;
}

bool mlp_backward(struct mlp *m, double *losses, struct product_taker taker)
{
    const struct model_shape *shape = &m->config.shape;
    const float *y = mlp_forward(m);
    bool is_taken = true;
    for (size_t i = 0; i < m->rows; i += m->config.block_rows) {
        *losses++ = loss_backward(m->dz[0], m, y, i);
    }
    for (size_t l = shape->layer_count; is_taken && l-- > 0;) {
        backward_inputs(m, l);
        is_taken = give_bias(m, &shape->tensors[2 * l + 1], taker) &&
                   give_weights(m, l, taker);
        go_down(m);
    }
    return is_taken;
}

static void step_layer(struct mlp *m, size_t l, float rate)
{
    const struct tensor_span *tensors = &m->config.shape.tensors[2 * l];
    struct kernel_dense dense = dense_of(m, l);
    kernel_dense_bias(m->scratch, m->dz[0], m->rows, dense.d_out);
    kernel_step(m->parameters + tensors[1].offset, m->scratch, dense.d_out,
                rate);
    kernel_dense_step(m->parameters + tensors[0].offset, rate, &dense, m->dz[0],
                      m->x[l]);
}

double mlp_step(struct mlp *m, float rate)
{
    POT_ASSERT(m->theta == NULL && m->rows <= m->config.block_rows);
    double loss = loss_backward(m->dz[0], m, mlp_forward(m), 0);
    for (size_t l = m->config.shape.layer_count; l-- > 0;) {
        backward_inputs(m, l);
        step_layer(m, l, rate);
        go_down(m);
    }
    return loss;
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
    bool is_added; /* to those of earlier passes */
};

static bool take_sums(void *context, const struct product_piece *piece)
{
    const struct summing *s = context;
    struct product_piece part = *piece;
    part.is_first = piece->is_first && !s->is_added;
    return kernel_to_grid(s->sums, &part);
}

bool mlp_sum(int64_t *sums, int64_t *loss_sum, struct mlp *m,
             const struct dataset *d, const uint64_t *rows, size_t count)
{
    size_t pass = pass_rows(&m->config);
    struct summing summing = {sums, false};
    const struct product_taker taker = {take_sums, &summing, 0};
    double losses[PASS_ROWS];
    *loss_sum = 0;
    for (size_t first = 0; first < count; first += pass) {
        size_t left = count - first;
        size_t blocks = 0;
        mlp_load(m, d, rows + first, left < pass ? left : pass);
        if (!mlp_backward(m, losses, taker)) {
            return false;
        }
        for (size_t i = 0; i < m->rows; i += m->config.block_rows) {
            if (!add_loss(loss_sum, losses[blocks++])) {
                return false;
            }
        }
        summing.is_added = true;
    }
    return true;
}

/* sums = theta - parameters */
static bool put_way(int64_t *sums, struct mlp *m, const int32_t *theta)
{
    size_t count = m->config.shape.parameter_count;
    float *way = m->scratch;
    for (size_t i = 0; i < count; i += WAY_PIECE) {
        size_t left = count - i;
        size_t size = left < WAY_PIECE ? left : WAY_PIECE;
        const float *parameters = m->parameters + i;
        kernel_from_fixed(way, theta + i, size);
        for (size_t j = 0; j < size; j++) {
            way[j] -= parameters[j];
        }
        struct product_piece piece = kernel_row(way, i, size, true);
        if (!kernel_to_grid(sums, &piece)) {
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
    float rate = (float)walk->rate * RATE_SCALE / (float)batch;
    *loss_sum = 0;
    mlp_set_parameters(m, walk->theta);
    for (uint32_t step = 0; step < walk->steps; step++) {
        mlp_load(m, d, rows + step * batch, batch);
        if (!add_loss(loss_sum, mlp_step(m, rate))) {
            return false;
        }
    }
    return put_way(sums, m, walk->theta);
}
