#include "config.h"

#include "node/round/auditor.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/fixed.h"
#include "base/log.h"
#include "node/loop/offload.h"
#include "node/round/round_input.h"
#include "node/round/workers.h"
#include "proto/gradient.h"
#include "proto/round.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CORE_SIZE (ROUND_BLAS_CORE_MAX + 1)
/* Cores remembered as not running on this processor; the oldest is forgotten
 * first. */
#define FAILED_CORES 8
/* Losses of honest kernels differ by about 1e-6. */
#define LOSS_PART      1000
#define LOSS_TOLERANCE 256

/* A case on its way:
 *
 *   auditor_judge -> first pool --on_computed--> compare --on_compared-.
 *                                                  ^                    |
 *                    second pool --on_computed-----'     undecided      |
 *                         ^-----------------------------try_second------+
 *                                                                       v
 *                                                                   conclude
 */
struct trial {
    struct trial *next;
    struct auditor *auditor; /* NULL: gone while the trial was off the loop */
    struct round_input *input;
    struct public_key miner;
    char core[CORE_SIZE];
    uint8_t *payload; /* NULL: exact, by its hash */
    size_t payload_size;
    struct hash payload_hash;
    int64_t loss; /* that the submitter claims */
    bool has_plant;
    struct hash plant; /* has_plant: the secret */
    auditor_done_fn *done;
    void *context;
    bool is_second;    /* ran on the second pool */
    bool is_its_core;  /* is_second: that was the submitter's core indeed */
    bool is_comparing; /* off the loop */
    struct offload offload;
    int64_t *sums; /* is_comparing: own ones, and their loss */
    int64_t loss_sum;
    struct audit_result result;
};

struct auditor {
    uv_loop_t *loop;
    char *program;
    const struct holdings *holdings;
    struct needs *needs;
    struct workers *own;    /* NULL until the first case */
    struct workers *second; /* on second_core; NULL: none */
    char second_core[CORE_SIZE];
    size_t second_jobs;
    struct workers_stats past; /* of second ones that are gone */
    char failed_cores[FAILED_CORES][CORE_SIZE]; /* that do not run here */
    size_t failed_next;
    struct trial *trials;
};

struct auditor *auditor_new(uv_loop_t *loop, const char *worker_program,
                            const struct holdings *holdings,
                            struct needs *needs)
{
    struct auditor *auditor = pot_calloc(1, sizeof(*auditor));
    auditor->loop = loop;
    auditor->program = pot_strdup(worker_program);
    auditor->holdings = holdings;
    auditor->needs = needs;
    return auditor;
}

static void trial_free(struct trial *trial)
{
    round_input_unref(trial->input);
    free(trial->payload);
    free(trial->sums);
    free(trial);
}

static void unlink_trial(struct trial *trial)
{
    struct trial **at = &trial->auditor->trials;
    while (*at != trial) {
        at = &(*at)->next;
    }
    *at = trial->next;
    trial->auditor = NULL;
}

void auditor_free(struct auditor *auditor)
{
    if (auditor == NULL) {
        return;
    }
    workers_free(auditor->own);
    workers_free(auditor->second);
    while (auditor->trials != NULL) {
        struct trial *trial = auditor->trials;
        unlink_trial(trial);
        if (!trial->is_comparing) {
            trial_free(trial);
        }
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
        .exact = "auto",
        .count = 1,
        .deadline_ms = WORKERS_DEADLINE_MS,
        .holdings = a->holdings,
        .needs = a->needs,
    };
    return workers_new(&config);
}

static void conclude(struct trial *trial, enum pot_err err)
{
    unlink_trial(trial);
    trial->done(trial->context, err, &trial->result);
    trial_free(trial);
}

static void end_second(struct auditor *a)
{
    struct workers_stats stats;
    if (a->second != NULL) {
        workers_stats(a->second, &stats);
        const struct workers_stats past = {
            .jobs = stats.jobs,
            .rows = stats.rows,
            .restarts = stats.restarts,
            .busy_us = stats.busy_us,
        };
        workers_stats_add(&a->past, &past);
    }
    workers_free(a->second);
    a->second = NULL;
}

/* The second core does not run here: what waits for it stays undecided. */
static void give_up_second(struct auditor *a)
{
    memcpy(a->failed_cores[a->failed_next], a->second_core, CORE_SIZE);
    a->failed_next = (a->failed_next + 1) % FAILED_CORES;
    end_second(a);
    a->second_jobs = 0;
    for (struct trial *trial = a->trials; trial != NULL;) {
        if (trial->is_second && !trial->is_comparing) {
            trial->result.verdict = AUDIT_UNDECIDED;
            conclude(trial, POT_OK);
            trial = a->trials; /* the list has changed */
        } else {
            trial = trial->next;
        }
    }
}

/* ---- comparing */

static bool is_exact(const struct trial *trial)
{
    return trial->input->numerics == POT__NUMERICS__NUMERICS_EXACT;
}

static bool loss_holds(const struct trial *trial)
{
    int64_t own =
        fixed_divide(trial->loss_sum, (int64_t)trial->input->row_count);
    if (is_exact(trial)) {
        return trial->loss == own;
    }
    int64_t off = trial->loss > own ? trial->loss - own : own - trial->loss;
    int64_t part = own / LOSS_PART;
    return off <= (part > LOSS_TOLERANCE ? part : LOSS_TOLERANCE);
}

static void compare(void *context)
{
    struct trial *trial = context;
    const struct round_input *input = trial->input;
    if (is_exact(trial)) {
        audit_compare_exact(&trial->result, &input->shape, &input->form,
                            &trial->payload_hash, trial->sums,
                            round_input_divisor(input),
                            trial->has_plant ? &trial->plant : NULL);
    } else {
        struct gradient gradient;
        enum pot_err err = gradient_view(&gradient, &input->shape,
                                         trial->payload, trial->payload_size);
        POT_ASSERT(err == POT_OK); /* checked before it came here */
        audit_compare(&trial->result, &input->shape, &gradient, trial->sums,
                      input->row_count);
    }
    if (!loss_holds(trial)) {
        trial->result.verdict = AUDIT_REFUSED;
    }
}

static bool has_failed_core(const struct auditor *a, const char *core)
{
    for (size_t i = 0; i < FAILED_CORES; i++) {
        if (strcmp(a->failed_cores[i], core) == 0) {
            return true;
        }
    }
    return false;
}

static enum pot_err compute(struct workers *workers, struct trial *trial);

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
        end_second(a);
        a->second = start_workers(a, trial->core);
        memcpy(a->second_core, trial->core, CORE_SIZE);
    }
    trial->is_second = compute(a->second, trial) == POT_OK;
    a->second_jobs += trial->is_second ? 1 : 0;
    return trial->is_second;
}

static void on_compared(void *context)
{
    struct trial *trial = context;
    bool is_undecided = trial->result.verdict == AUDIT_UNDECIDED;
    trial->is_comparing = false;
    free(trial->sums);
    trial->sums = NULL;
    if (trial->auditor == NULL) {
        trial_free(trial);
        return;
    }
    if (is_undecided && trial->is_its_core) {
        /* On its own core an honest gradient comes out the same. */
        trial->result.verdict = AUDIT_REFUSED;
    } else if (is_undecided && !trial->is_second && try_second(trial)) {
        return;
    }
    conclude(trial, POT_OK);
}

/* ---- computing */

/* No payload holds what is not finite, so that in the exact lane, where it is
 * so everywhere, whatever was submitted is false. */
static void judge_diverged(struct trial *trial)
{
    trial->result.verdict = is_exact(trial) ? AUDIT_REFUSED : AUDIT_UNDECIDED;
    LOG(LOG_WARN, "node", "an audit's gradient is not a finite number",
        log_text("verdict", is_exact(trial) ? "refused" : "none"));
    conclude(trial, POT_OK);
}

static void on_computed(void *context, enum pot_err err, const char *why,
                        int64_t *sums, int64_t loss_sum)
{
    struct trial *trial = context;
    struct auditor *a = trial->auditor;
    (void)why;
    if (trial->is_second && (err == POT_OK || err == POT_ERANGE)) {
        a->second_jobs--;
        trial->is_its_core = strcmp(workers_core(a->second), trial->core) == 0;
    }
    if (err == POT_OK) {
        trial->sums = sums;
        trial->loss_sum = loss_sum;
        trial->is_comparing = true;
        offload_start(&trial->offload, a->loop, compare, on_compared, trial);
    } else if (err == POT_ERANGE) {
        judge_diverged(trial);
    } else if (trial->is_second) {
        give_up_second(a);
    } else {
        conclude(trial, err);
    }
}

static enum pot_err compute(struct workers *workers, struct trial *trial)
{
    return workers_submit(workers, trial->input,
                          round_input_rows(trial->input, &trial->miner),
                          on_computed, trial);
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
    trial->input = round_input_ref(audit->input);
    trial->miner = *audit->miner;
    (void)snprintf(trial->core, sizeof(trial->core), "%s", audit->core);
    trial->payload_hash = *audit->payload_hash;
    if (!is_exact(trial)) {
        trial->payload = pot_memdup(audit->payload, audit->payload_size);
        trial->payload_size = audit->payload_size;
    }
    trial->loss = audit->loss;
    if (audit->plant != NULL) {
        trial->has_plant = true;
        trial->plant = *audit->plant;
    }
    trial->done = done;
    trial->context = context;
    enum pot_err err = compute(auditor->own, trial);
    if (err != POT_OK) {
        unlink_trial(trial);
        trial_free(trial);
    }
    return err;
}

static void add_pool(struct workers_stats *sum, const struct workers *pool)
{
    struct workers_stats stats;
    if (pool != NULL) {
        workers_stats(pool, &stats);
        workers_stats_add(sum, &stats);
    }
}

void auditor_workers(const struct auditor *auditor, struct workers_stats *out)
{
    *out = auditor->past;
    add_pool(out, auditor->own);
    add_pool(out, auditor->second);
}
