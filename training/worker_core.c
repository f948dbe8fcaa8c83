#include "config.h"

#include "training/worker_core.h"

#include "base/check.h"

#include <cblas.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SIDE  ((size_t)256)
#define TIMES 5
/* Of our own product's rate: what a good kernel does not fall below. */
#define DOUBTED 0.7
/* Times as fast: more than chance makes of the same kernel. */
#define CLEARLY   1.3
#define CORES_MAX 4

/* Its own, so that others on the machine do not count. */
static double used_s(void)
{
    struct timespec t;
    int rc = clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    POT_ASSERT(rc == 0);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The best of some times: what disturbs makes it longer, never shorter. */
static double rate_of(const struct product *product)
{
    double best = 0.0;
    void *memory = NULL;
    const size_t count = SIDE * SIDE;
    int rc = posix_memalign(&memory, 64,
                            (3 * count + PRODUCT_SCRATCH) * sizeof(float));
    POT_ASSERT(rc == 0);
    float *arrays = memory;
    for (size_t i = 0; i < 3 * count; i++) {
        arrays[i] = 1.0F;
    }
    for (size_t i = 0; i <= TIMES; i++) {
        double start = used_s();
        product->set_nn(arrays, arrays + count,
                        (struct product_weights){.floats = arrays + 2 * count},
                        SIDE, SIDE, SIDE, arrays + 3 * count);
        double rate = (double)(count * SIDE) / (used_s() - start) / 1e9;
        best = rate > best ? rate : best;
    }
    free(memory);
    return best;
}

void worker_core_measure(struct worker_core *out, const struct product *product)
{
    (void)snprintf(out->name, sizeof(out->name), "%s", openblas_get_corename());
    out->rate = rate_of(product);
}

bool worker_core_is_doubted(const struct worker_core *own, double exact_rate)
{
    return own->rate < DOUBTED * exact_rate;
}

const struct worker_core *worker_core_choose(const struct worker_core *own,
                                             const struct worker_core *others,
                                             size_t count)
{
    const struct worker_core *best = own;
    for (size_t i = 0; i < count; i++) {
        bool is_clear = others[i].rate > CLEARLY * own->rate;
        if (is_clear && others[i].rate > best->rate) {
            best = &others[i];
        }
    }
    return best;
}

/* Its kernels for x86-64 that the processor's instructions allow; elsewhere it
 * chooses by instructions anyway. */
static size_t list_cores(const char *out[static CORES_MAX])
{
    size_t count = 0;
#if defined(__x86_64__)
    bool has_avx512 = __builtin_cpu_supports("avx512f") &&
                      __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512cd");
    if (has_avx512 && __builtin_cpu_supports("avx512bf16")) {
        out[count++] = "Cooperlake";
    }
    if (has_avx512) {
        out[count++] = "SkylakeX";
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        out[count++] = "Haswell";
        out[count++] = "Zen";
    }
#else
    (void)out;
#endif
    return count;
}

/* With the kernel of that name; returns only if that fails. */
static void begin_anew(const char *core, char *option)
{
    char program[] = "pot-worker";
    char *argv[] = {program, option, NULL};
    (void)setenv(WORKER_CORE_VARIABLE, core, 1);
    (void)execv("/proc/self/exe", argv);
}

/* In a process of its own, as OpenBLAS chooses only once. */
static void measure_core(struct worker_core *out, const char *name)
{
    int ends[2];
    *out = (struct worker_core){.rate = 0.0};
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return;
    }
    pid_t pid = fork();
    if (pid == 0) {
        char option[] = WORKER_CORE_MEASURE;
        (void)dup2(ends[1], STDOUT_FILENO);
        begin_anew(name, option);
        _exit(1);
    }
    (void)close(ends[1]);
    FILE *answer = fdopen(ends[0], "r");
    POT_ASSERT(answer != NULL);
    if (fscanf(answer, "%31s %lf", out->name, &out->rate) != 2) {
        out->rate = 0.0;
    }
    (void)fclose(answer);
    if (pid > 0) {
        (void)waitpid(pid, NULL, 0);
    }
}

void worker_core_settle(const struct product *exact)
{
    struct worker_core own;
    struct worker_core others[CORES_MAX];
    const char *names[CORES_MAX];
    worker_core_measure(&own, &product_blas);
    if (exact != NULL && !worker_core_is_doubted(&own, rate_of(exact))) {
        return;
    }
    size_t count = list_cores(names);
    for (size_t i = 0; i < count; i++) {
        measure_core(&others[i], names[i]);
    }
    const struct worker_core *best = worker_core_choose(&own, others, count);
    if (best == &own) {
        return;
    }
    (void)fprintf(stderr,
                  "pot-worker: OpenBLAS chose its kernel %s, which does %.1f "
                  "* 10^9 multiply-adds a second on this processor; %s does "
                  "%.1f and is used instead\n",
                  own.name, own.rate, best->name, best->rate);
    begin_anew(best->name, NULL);
}
