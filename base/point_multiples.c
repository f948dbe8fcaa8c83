/* A number's digits, the lowest first, go column by column:
 *
 *     digit   0  1  2  3 | 4  5  6  7 | 8 ...
 *     row     0  1  2  3 | 0  1  2  3 | 0 ...
 *
 * Kept are 1, 2, .. half times the point of each column's lowest digit.  What
 * is to be added of row 3 is summed up over all columns, doubled down to row 2,
 * and so on. */
#include "config.h"

#include "base/point_multiples.h"

#include "base/alloc.h"
#include "base/point_digits.h"

#include <stdlib.h>

#define BITS    7
#define HALF    (1 << (BITS - 1))
#define ROWS    2
#define DIGITS  POINT_DIGITS_OF(BITS)
#define LINE    64 /* of the processor's cache */
#define EARLY   3
#define COLUMNS ((DIGITS + ROWS - 1) / ROWS)

struct point_multiples {
    decaf_255_point_t columns[COLUMNS][HALF]; /* [i]: i + 1 times its point */
};

static void fill(decaf_255_point_t column[static HALF],
                 const struct decaf_255_point_s *point)
{
    decaf_255_point_copy(column[0], point);
    for (size_t i = 1; i < HALF; i++) {
        decaf_255_point_add(column[i], column[i - 1], point);
    }
}

struct point_multiples *point_multiples_new(
    const struct decaf_255_point_s *point)
{
    decaf_255_point_t at;
    struct point_multiples *m =
        pot_alloc_aligned(_Alignof(struct point_multiples), sizeof(*m));
    decaf_255_point_copy(at, point);
    for (size_t i = 0; i < COLUMNS; i++) {
        fill(m->columns[i], at);
        for (unsigned j = 0; j < ROWS * BITS; j++) {
            decaf_255_point_double(at, at);
        }
    }
    return m;
}

/* Of a row's digit in a column: NULL if it is 0. */
static const struct decaf_255_point_s *find(const struct point_multiples *m,
                                            unsigned column, int digit)
{
    return digit == 0 ? NULL : m->columns[column][abs(digit) - 1];
}

/* They lie anywhere in the tables: they are asked for some additions early. */
static void fetch(const struct decaf_255_point_s *point)
{
    const char *at = (const char *)point;
    for (size_t i = 0; point != NULL && i < sizeof(*point); i += LINE) {
        __builtin_prefetch(at + i);
    }
}

static void add_row(decaf_255_point_t sum, const struct point_multiples *m,
                    const struct point_digits *digits, unsigned row)
{
    int list[COLUMNS + EARLY] = {0};
    for (unsigned i = 0; i * ROWS + row < DIGITS; i++) {
        list[i] = point_digits_at(digits, i * ROWS + row);
    }
    for (unsigned i = 0; i < EARLY; i++) {
        fetch(find(m, i, list[i]));
    }
    for (unsigned i = 0; i < COLUMNS; i++) {
        const struct decaf_255_point_s *point = find(m, i, list[i]);
        if (i + EARLY < COLUMNS) {
            fetch(find(m, i + EARLY, list[i + EARLY]));
        }
        if (list[i] > 0) {
            decaf_255_point_add(sum, sum, point);
        } else if (list[i] < 0) {
            decaf_255_point_sub(sum, sum, point);
        }
    }
}

void point_multiples_add(decaf_255_point_t out, const struct point_multiples *a,
                         const decaf_255_scalar_t x,
                         const struct point_multiples *b,
                         const decaf_255_scalar_t y)
{
    struct point_digits of_x;
    struct point_digits of_y;
    point_digits_init(&of_x, x, BITS);
    point_digits_init(&of_y, y, BITS);
    decaf_255_point_copy(out, decaf_255_point_identity);
    for (unsigned row = ROWS; row > 0; row--) {
        for (unsigned i = 0; row < ROWS && i < BITS; i++) {
            decaf_255_point_double(out, out);
        }
        add_row(out, a, &of_x, row - 1);
        add_row(out, b, &of_y, row - 1);
    }
}
