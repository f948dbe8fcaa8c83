#include "config.h"

#include "ledger/aggregate_held.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/fixed.h"

#include <stdlib.h>

void *held_open(const Pot__TaskSpec *spec, const struct model_shape *shape)
{
    struct held *held = pot_calloc(1, sizeof(*held));
    held->spec = spec;
    held->shape = shape;
    held->result = pot_calloc(shape->parameter_count, sizeof(*held->result));
    return held;
}

static void *owned_elements(const struct gradient *row)
{
    union {
        const uint8_t *borrowed;
        uint8_t *owned;
    } elements = {.borrowed = row->elements};
    return elements.owned;
}

void held_close(void *state)
{
    struct held *held = state;
    for (size_t i = 0; i < held->count; i++) {
        free(owned_elements(&held->rows[i]));
    }
    free(held->rows);
    free(held->result);
    free(held);
}

void held_add(void *state, const struct model_shape *shape,
              const struct gradient *gradient)
{
    struct held *held = state;
    if (held->count == held->capacity) {
        held->capacity = held->capacity == 0 ? 16 : 2 * held->capacity;
        held->rows =
            pot_realloc(held->rows, held->capacity, sizeof(*held->rows));
    }
    struct gradient *row = &held->rows[held->count++];
    *row = *gradient;
    row->elements = pot_memdup(gradient->elements,
                               gradient->width * shape->parameter_count);
}

size_t held_block(const struct held *held, size_t first)
{
    size_t left = held->shape->parameter_count - first;
    POT_ASSERT(first < held->shape->parameter_count);
    return left < HELD_BLOCK ? left : HELD_BLOCK;
}

void held_read_row(const struct held *held, size_t row, size_t first,
                   int64_t *values)
{
    POT_ASSERT(row < held->count);
    aggregate_grid_read(values, held->shape, &held->rows[row], first,
                        held_block(held, first));
}

void held_read(const struct held *held, size_t first, int64_t *values)
{
    for (size_t i = 0; i < held->count; i++) {
        held_read_row(held, i, first, values + i * HELD_BLOCK);
    }
}

int64_t held_scale(int64_t sum, size_t count, size_t part)
{
    int64_t n = (int64_t)count;
    int64_t k = (int64_t)part;
    POT_ASSERT(part > 0 && part <= count);
    return sum / k * n + fixed_divide(sum % k * n, k);
}
