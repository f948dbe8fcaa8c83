/* aggregate_held: all gradients of a round at once, for the rules that must
 * see them so; for ledger/aggregate*.c.
 *
 * They are held as they came, an element in one or two bytes, and opened onto
 * the grid (aggregate_grid.h) a block of coordinates at a time: n payloads
 * (AGGREGATION_HELD_BYTES_MAX, by aggregation_roster_max), n blocks and two
 * results, never n gradients in int64. */
#ifndef POT_LEDGER_AGGREGATE_HELD_H
#define POT_LEDGER_AGGREGATE_HELD_H

#include <stddef.h>
#include <stdint.h>

#include "base/fixed.h"
#include "ledger/aggregate_grid.h"
#include "proto/gradient.h"
#include "proto/model.h"

#define HELD_BLOCK 64 /* coordinates */

/* Sums of squares on the grid.  A difference of 2^51 counts as one less, so
 * that as many squares as there are parameters fit. */
__extension__ typedef unsigned __int128 held_wide;

#define HELD_DIFFERENCE_MAX ((UINT64_C(2) << AGGREGATE_ELEMENT_BITS) - 1)

struct held {
    const Pot__TaskSpec *spec; /* borrowed, as shape is */
    const struct model_shape *shape;
    struct gradient *rows; /* (count), their elements owned */
    size_t count;
    size_t capacity;
    int64_t *result; /* (parameter_count), the rule's; zeros at first */
};

/* held_open, held_close, held_add: the rule's functions of the same names. */
void *held_open(const Pot__TaskSpec *spec, const struct model_shape *shape);
void held_close(void *state);
void held_add(void *state, const struct model_shape *shape,
              const struct gradient *gradient);

/* held_block: the size of the block of coordinates that begins at first. */
size_t held_block(const struct held *held, size_t first);

/* held_read: that block of all rows, each in HELD_BLOCK elements of values;
 * what lies beyond the last coordinate is not touched. */
void held_read(const struct held *held, size_t first, int64_t *values);

/* held_read_row: that block of one row. */
void held_read_row(const struct held *held, size_t row, size_t first,
                   int64_t *values);

/* held_square: of a difference between two elements. */
static inline held_wide held_square(int64_t value)
{
    uint64_t size = fixed_magnitude(value);
    size = size > HELD_DIFFERENCE_MAX ? HELD_DIFFERENCE_MAX : size;
    return (held_wide)size * size;
}

/* held_scale: round(sum * count / part): a sum over part of count gradients
 * as one over all; 0 < part <= count, |sum| <= part * 2^50. */
int64_t held_scale(int64_t sum, size_t count, size_t part);

#endif
