#include "config.h"

#include "tests/bench/bench_util.h"

#include "base/check.h"
#include "proto/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

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

double bench_used_s(clockid_t clock)
{
    struct timespec t;
    int rc = clock_gettime(clock, &t);
    POT_ASSERT(rc == 0);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
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

static bool is_of_blas(const char *variable)
{
    static const char *const prefixes[] = {"OPENBLAS_", "OMP_", "GOTO_",
                                           "MKL_"};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
        if (strncmp(variable, prefixes[i], strlen(prefixes[i])) == 0) {
            return true;
        }
    }
    return false;
}

void bench_forget_environment(char **argv)
{
    bool is_there = false;
    for (size_t i = 0; environ[i] != NULL;) {
        char name[256];
        if (!is_of_blas(environ[i])) {
            i++;
            continue;
        }
        (void)snprintf(name, sizeof(name), "%.*s",
                       (int)strcspn(environ[i], "="), environ[i]);
        is_there = unsetenv(name) == 0;
        POT_ASSERT(is_there);
    }
    if (is_there) {
        (void)execv("/proc/self/exe", argv);
    }
}
