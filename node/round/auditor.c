#include "config.h"

#include "node/round/auditor.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/fixed.h"
#include "proto/gradient.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CORE_SIZE   33
#define DEADLINE_MS 120000
/* Cores remembered as not running on this processor; the oldest is forgotten
 * first. */
#define FAILED_CORES 8
/* Losses of honest kernels differ by about 1e-6. */
#define LOSS_PART      1000
#define LOSS_TOLERANCE 256

struct trial {
    struct trial *next;
    struct auditor *auditor;
    struct workers_job job; /* its arrays are the trial's own */
    char core[CORE_SIZE];
    uint8_t *payload;
    size_t payload_size;
    int64_t loss;          /* that the submitter claims */
    auditor_done_fn *done; /* NULL: forgotten */
    void *context;
    bool is_second; /* runs on the submitter's core */
};

struct auditor {
    uv_loop_t *loop;
    char *program;
    struct workers *own;    /* NULL until the first case */
    struct workers *second; /* on second_core; NULL: none */
    char second_core[CORE_SIZE];
    size_t second_jobs;
    char failed_cores[FAILED_CORES][CORE_SIZE]; /* that do not run here */
    size_t failed_next;
    struct trial *trials;
};

struct auditor *auditor_new(uv_loop_t *loop, const char *worker_program)
{
    struct auditor *auditor = pot_calloc(1, sizeof(*auditor));
    auditor->loop = loop;
    auditor->program = pot_strdup(worker_program);
    return auditor;
}

static void trial_free(struct trial *trial)
{
    struct trial **at = &trial->auditor->trials;
    while (*at != trial) {
        at = &(*at)->next;
    }
    *at = trial->next;
    workers_job_fini(&trial->job);
    free(trial->payload);
    free(trial);
}

void auditor_free(struct auditor *auditor)
{
    if (auditor == NULL) {
        return;
    }
    workers_free(auditor->own);
    workers_free(auditor->second);
    while (auditor->trials != NULL) {
        trial_free(auditor->trials);
    }
    free(auditor->program);
    free(auditor);
}

static struct workers *start_workers(struct auditor *a, const char *core)
{
    const struct workers_config config = {
        .loop = a->loop,
        .program = a->program,
        .core = core,
        .count = 1,
        .deadline_ms = DEADLINE_MS,
    };
    return workers_new(&config);
}

static void conclude(struct trial *trial, enum pot_err err,
                     const struct audit_result *result)
{
    if (trial->done != NULL) {
        trial->done(trial->context, err, result);
    }
    trial_free(trial);
}

static void on_computed(void *context, enum pot_err err, const char *why,
                        const int64_t *sums, int64_t loss_sum);

static bool has_failed_core(const struct auditor *a, const char *core)
{
    for (size_t i = 0; i < FAILED_CORES; i++) {
        if (strcmp(a->failed_cores[i], core) == 0) {
            return true;
        }
    }
    return false;
}

/* Another core's pool replaces an idle one; while it is busy, its core is
 * the only one that can be tried. */
static bool try_second(struct trial *trial)
{
    struct auditor *a = trial->auditor;
    if (has_failed_core(a, trial->core)) {
        return false;
    }
    if (a->second == NULL || strcmp(a->second_core, trial->core) != 0) {
        if (a->second_jobs > 0) {
            return false;
        }
        workers_free(a->second);
        a->second = start_workers(a, trial->core);
        memcpy(a->second_core, trial->core, CORE_SIZE);
    }
    trial->is_second =
        workers_submit(a->second, &trial->job, on_computed, trial) == POT_OK;
    a->second_jobs += trial->is_second ? 1 : 0;
    return trial->is_second;
}

/* The second core does not run here: what waits for it stays undecided. */
static void give_up_second(struct auditor *a)
{
    const struct audit_result undecided = {.verdict = AUDIT_UNDECIDED};
    memcpy(a->failed_cores[a->failed_next], a->second_core, CORE_SIZE);
    a->failed_next = (a->failed_next + 1) % FAILED_CORES;
    workers_free(a->second);
    a->second = NULL;
    a->second_jobs = 0;
    for (struct trial *trial = a->trials; trial != NULL;) {
        if (trial->is_second) {
            conclude(trial, POT_OK, &undecided);
            trial = a->trials; /* the list has changed */
        } else {
            trial = trial->next;
        }
    }
}

/* On the submitter's own core an honest gradient comes out the same. */
static void settle_second(const struct auditor *a, const struct trial *trial,
                          struct audit_result *result)
{
    bool is_its_core = strcmp(workers_core(a->second), trial->core) == 0;
    if (result->verdict == AUDIT_UNDECIDED && is_its_core) {
        result->verdict = AUDIT_REFUSED;
    }
}

static bool loss_holds(const struct trial *trial, int64_t loss_sum)
{
    int64_t own = fixed_divide(loss_sum, (int64_t)trial->job.row_count);
    int64_t off = trial->loss > own ? trial->loss - own : own - trial->loss;
    int64_t part = own / LOSS_PART;
    return off <= (part > LOSS_TOLERANCE ? part : LOSS_TOLERANCE);
}

static void compare(struct trial *trial, const int64_t *sums, int64_t loss_sum)
{
    const struct model_shape *shape = &trial->job.shape;
    struct gradient gradient;
    struct audit_result result;
    enum pot_err err =
        gradient_open(&gradient, shape, trial->payload, trial->payload_size);
    POT_ASSERT(err == POT_OK); /* checked before it came here */
    audit_compare(&result, shape, &gradient, sums, trial->job.row_count);
    if (!loss_holds(trial, loss_sum)) {
        result.verdict = AUDIT_REFUSED;
    }
    if (trial->is_second) {
        settle_second(trial->auditor, trial, &result);
    } else if (result.verdict == AUDIT_UNDECIDED && try_second(trial)) {
        return;
    }
    conclude(trial, POT_OK, &result);
}

static void on_computed(void *context, enum pot_err err, const char *why,
                        const int64_t *sums, int64_t loss_sum)
{
    struct trial *trial = context;
    (void)why;
    if (err == POT_OK) {
        trial->auditor->second_jobs -= trial->is_second ? 1 : 0;
        compare(trial, sums, loss_sum);
    } else if (trial->is_second) {
        give_up_second(trial->auditor);
    } else {
        conclude(trial, err, NULL);
    }
}

enum pot_err auditor_judge(struct auditor *auditor,
                           const struct auditor_case *audit,
                           auditor_done_fn *done, void *context)
{
    if (auditor->own == NULL) {
        auditor->own = start_workers(auditor, "auto");
    }
    struct trial *trial = pot_calloc(1, sizeof(*trial));
    trial->auditor = auditor;
    trial->next = auditor->trials;
    auditor->trials = trial;
    workers_job_copy(&trial->job, &audit->job);
    (void)snprintf(trial->core, sizeof(trial->core), "%s", audit->core);
    trial->payload = pot_memdup(audit->payload, audit->payload_size);
    trial->payload_size = audit->payload_size;
    trial->loss = audit->loss;
    trial->done = done;
    trial->context = context;
    enum pot_err err =
        workers_submit(auditor->own, &trial->job, on_computed, trial);
    if (err != POT_OK) {
        trial_free(trial);
    }
    return err;
}

void auditor_forget(struct auditor *auditor, const void *context)
{
    for (struct trial *t = auditor->trials; t != NULL; t = t->next) {
        if (t->context == context) {
            t->done = NULL;
        }
    }
}
