#include "config.h"

#include "tests/bench/bench_util.h"

#include "base/check.h"
#include "proto/model.h"

#include <stdlib.h>
#include <string.h>

static int compare_doubles(const void *a, const void *b)
{
    double x;
    double y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x > y) - (x < y);
}

void bench_sort(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare_doubles);
}

double bench_percentile(const double *values, size_t count, double part)
{
    POT_ASSERT(count > 0);
    return values[(size_t)((double)(count - 1) * part)];
}

bool bench_parse_layers(struct model_shape *shape, const char *text)
{
    uint32_t widths[LAYERS_MAX];
    size_t count = 0;
    char *end;
    for (const char *at = text; count < LAYERS_MAX; at = end + 1) {
        widths[count++] = (uint32_t)strtoul(at, &end, 10);
        if (*end != ',') {
            break;
        }
    }
    return model_shape_init(shape, widths, count) == POT_OK;
}
