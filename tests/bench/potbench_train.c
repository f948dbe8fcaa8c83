/* potbench train and network: training rows a second of a whole network,
 * beside as many pot-workers as its miners have, which get job after job;
 * network: beside one that trains centrally, too. */
#include "config.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "ctl/client.h"
#include "tests/bench/potbench_central.h"
#include "tests/bench/potbench_direct.h"
#include "tests/bench/potbench_http.h"
#include "tests/bench/potbench_net.h"
#include "tests/bench/potbench_parts.h"
#include "tests/bench/potbench_report.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TARGET_EVAL_EVERY 2
#define WARM_ROUNDS       5
#define ROUNDS_PER_SECOND 200 /* more than there can be */
#define ROUND_DEADLINE_US 60000000
#define EVENT_BYTES_MAX   ((size_t)1 << 20)

struct train {
    struct potbench *bench;
    const struct potbench_model *model;
    uint64_t rows; /* of a miner in a round */
    struct potbench_net net;
    struct potbench_http events;
    struct buf event;
    char *train_path;
    /* of the measured span */
    double seconds;
    uint64_t rounds;
    uint64_t submissions;
    struct potbench_cpu cpu;
    struct potbench_parts parts;
    uint64_t ended_us; /* the latest round */
    uint64_t begin_us; /* the first round's beginning; 0: not known yet */
    double target_s;   /* from then on, to the accuracy; 0: not reached */
    double accuracy;   /* the last one that was told */
};

/* What makes a baseline. */
struct baseline {
    struct potbench_direct direct;
    struct potbench_central central; /* of network alone */
};

/* The first round began as long before its end as the second did: what lies
 * before it is not training alone. */
static void note_target(struct train *t)
{
    double target = (double)t->bench->target / 100.0;
    uint64_t now_us = clock_steady_us();
    if (t->begin_us == 0 && t->ended_us != 0) {
        t->begin_us = t->ended_us - (now_us - t->ended_us);
    }
    t->ended_us = now_us;
    if (t->begin_us != 0 && target > 0.0 && t->target_s == 0.0 &&
        t->accuracy >= target) {
        t->target_s = (double)(now_us - t->begin_us) / 1e6;
    }
}

/* EXIT_CODE_DONE: a round's event; *submissions are those it counted. */
static enum exit_code next_round(struct train *t, uint64_t *submissions)
{
    uint64_t until_us = clock_steady_us() + ROUND_DEADLINE_US;
    for (;;) {
        char name[16];
        int rc = potbench_http_event(&t->events, name, &t->event);
        if (rc == 1 && strcmp(name, "round") == 0) {
            json_t *json = json_loads(buf_text(&t->event), 0, NULL);
            const json_t *accuracy = json_object_get(json, "test_accuracy");
            *submissions = client_count(json, "submissions");
            t->accuracy = json_is_number(accuracy) ? json_number_value(accuracy)
                                                   : t->accuracy;
            json_decref(json);
            note_target(t);
            return EXIT_CODE_DONE;
        }
        enum exit_code stopped = potbench_stopped(t->bench);
        if (stopped != EXIT_CODE_DONE) {
            return stopped;
        }
        if (rc < 0 || clock_steady_us() > until_us) {
            return ctl_fail(&t->bench->ctl, EXIT_CODE_TIMEOUT,
                            "no round was committed in time");
        }
        struct pollfd wait = {.fd = t->events.fd, .events = POLLIN};
        if (rc == 0) {
            (void)poll(&wait, 1, 1000);
        }
    }
}

static enum exit_code measure(struct train *t)
{
    struct potbench_cpu before;
    struct potbench_parts parts_before;
    uint64_t submissions;
    enum exit_code rc = EXIT_CODE_DONE;
    for (size_t i = 0; rc == EXIT_CODE_DONE && i < WARM_ROUNDS; i++) {
        rc = next_round(t, &submissions);
    }
    potbench_net_cpu(&before, &t->net);
    potbench_parts_read(&parts_before, &t->net);
    uint64_t start_us = clock_steady_us();
    uint64_t now_us = start_us;
    while (rc == EXIT_CODE_DONE &&
           now_us < start_us + t->bench->seconds * 1000000) {
        rc = next_round(t, &submissions);
        if (rc == EXIT_CODE_DONE) {
            t->rounds++;
            t->submissions += submissions;
        }
        now_us = clock_steady_us();
    }
    potbench_net_cpu(&t->cpu, &t->net);
    potbench_parts_read(&t->parts, &t->net);
    potbench_parts_subtract(&t->parts, &parts_before);
    t->seconds = (double)(now_us - start_us) / 1e6;
    t->cpu.validators -= before.validators;
    t->cpu.miners -= before.miners;
    t->cpu.validator_workers -= before.validator_workers;
    t->cpu.miner_workers -= before.miner_workers;
    return rc;
}

static enum exit_code submit(struct train *t)
{
    const char *url = t->net.testnet.nodes[0].url;
    char *task = file_join(t->bench->folder, "task.toml");
    char *log = file_join(t->bench->folder, "submit.log");
    const char *const argv[] = {"potctl",        "--node",      url,  "--key",
                                t->net.key_path, "submit-task", task, NULL};
    enum exit_code rc = potbench_http_open(&t->events, &t->bench->ctl, url);
    if (rc == EXIT_CODE_DONE &&
        !potbench_http_get(&t->events, "/v1/events?type=round")) {
        rc = ctl_fail(&t->bench->ctl, EXIT_CODE_CONNECT,
                      "the event stream broke");
    }
    if (rc == EXIT_CODE_DONE) {
        rc = potbench_net_run(t->bench, log, argv);
    }
    free(task);
    free(log);
    return rc;
}

static enum exit_code run_network(struct train *t)
{
    struct potbench *b = t->bench;
    t->events.fd = -1;
    buf_init(&t->event, EVENT_BYTES_MAX);
    enum exit_code rc =
        potbench_net_open(&t->net, b, (size_t)b->nodes, (size_t)b->miners);
    if (rc == EXIT_CODE_DONE) {
        rc = submit(t);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = measure(t);
    }
    potbench_http_close(&t->events);
    buf_fini(&t->event);
    potbench_net_close(&t->net);
    return rc;
}

static void add(struct potbench_report *report, const struct train *t,
                const struct baseline *baseline)
{
    const struct potbench_direct *direct = &baseline->direct;
    double rounds = t->rounds > 0 ? (double)t->rounds : 1.0;
    double rows = (double)(t->submissions * t->rows);
    rows = rows > 0.0 ? rows : 1.0;
    const struct potbench_figure figures[] = {
        {"rows_per_s", "training rows/s", rows / t->seconds,
         direct->rows_per_s},
        {"worker_cpu_us_per_row", "worker CPU, us/row",
         1e6 * t->cpu.miner_workers / rows, direct->cpu_us_per_row},
        {"rounds_per_s", "rounds a second", rounds / t->seconds, 0.0},
        {"submissions_per_round", "submissions a round",
         (double)t->submissions / rounds, 0.0},
        {"ms_per_round", "ms a round", 1000.0 * t->seconds / rounds, 0.0},
        {"cpu_ms_validators", "CPU ms/round, validators",
         1000.0 * t->cpu.validators / rounds, 0.0},
        {"cpu_ms_validator_workers", "  and their workers",
         1000.0 * t->cpu.validator_workers / rounds, 0.0},
        {"cpu_ms_miners", "CPU ms/round, miners",
         1000.0 * t->cpu.miners / rounds, 0.0},
        {"cpu_ms_miner_workers", "  and their workers",
         1000.0 * t->cpu.miner_workers / rounds, 0.0},
        {"test_accuracy", "test accuracy", t->accuracy, 0.0},
    };
    potbench_report_add(report, figures, sizeof(figures) / sizeof(*figures));
}

/* The same cores would give all of their time to the workers alone: so the
 * processor time of a row compares the two, whatever else a machine does. */
static void add_parts(struct potbench_report *report, const struct train *t,
                      const struct baseline *baseline)
{
    const struct potbench_direct *direct = &baseline->direct;
    const struct potbench_central *central = &baseline->central;
    double rounds = t->rounds > 0 ? (double)t->rounds : 1.0;
    double rows = (double)(t->submissions * t->rows);
    double nodes = t->cpu.validators + t->cpu.miners;
    double workers = t->cpu.validator_workers + t->cpu.miner_workers;
    double told = 0.0;
    struct potbench_figure figures[POTBENCH_FIGURES_MAX];
    size_t count = 0;
    rows = rows > 0.0 ? rows : 1.0;
    for (int i = CPU_OTHER + 1; i < CPU_PARTS; i++) {
        told += t->parts.seconds[i];
    }
    const struct potbench_figure first[] = {
        {"rows_per_s", "training rows/s", rows / t->seconds,
         direct->rows_per_s},
        {"cpu_us_per_row", "all CPU, us/row", 1e6 * (nodes + workers) / rows,
         direct->cpu_us_per_row},
        {"rows_per_s_central", "rows/s; one central worker", rows / t->seconds,
         central->rows_per_s},
        {"target_s", "s to the target; central", t->target_s,
         central->target_s},
        {"test_accuracy", "test accuracy; central", t->accuracy,
         central->accuracy},
        {"ms_per_round", "ms a round", 1000.0 * t->seconds / rounds, 0.0},
        {"cpu_ms_training", "CPU ms/round, training",
         1000.0 * t->cpu.miner_workers / rounds, 0.0},
        {"cpu_ms_audit", "  audit", 1000.0 * t->cpu.validator_workers / rounds,
         0.0},
        {"cpu_ms_validators", "  validators, without",
         1000.0 * t->cpu.validators / rounds, 0.0},
        {"cpu_ms_miners", "  miners, without", 1000.0 * t->cpu.miners / rounds,
         0.0},
        {"audit_share", "audit's share of all CPU",
         t->cpu.validator_workers / (nodes + workers), 0.0},
        {"audit_share_of_workers", "  of the workers'",
         t->cpu.validator_workers / workers, 0.0},
    };
    for (; count < sizeof(first) / sizeof(*first); count++) {
        figures[count] = first[count];
    }
    for (int i = CPU_OTHER + 1; i < CPU_PARTS; i++) {
        const char *name = cpu_time_name((enum cpu_part)i);
        figures[count++] = (struct potbench_figure){
            name, name, 1000.0 * t->parts.seconds[i] / rounds, 0.0};
    }
    figures[count++] =
        (struct potbench_figure){"untold", "the rest of the nodes'",
                                 1000.0 * (nodes - told) / rounds, 0.0};
    potbench_report_add(report, figures, count);
}

/* What makes potbench train and potbench network differ. */
struct kind {
    const char *command;
    void (*add)(struct potbench_report *report, const struct train *t,
                const struct baseline *baseline);
    bool has_central;
    double audit_rate;
};

static enum exit_code run_baseline(struct baseline *out, struct potbench *bench,
                                   const struct potbench_model *model,
                                   const struct kind *kind, uint64_t rows)
{
    char *path = file_join(bench->folder, "train.pds");
    size_t workers = (size_t)(bench->miners * bench->workers);
    enum exit_code rc = potbench_direct_run(&out->direct, bench, model, path,
                                            workers, (size_t)rows);
    if (rc == EXIT_CODE_DONE && kind->has_central) {
        rc = potbench_central_run(&out->central, bench, model, bench->folder,
                                  (size_t)rows);
    }
    free(path);
    return rc;
}

static enum exit_code run_task(struct potbench *bench,
                               const struct potbench_model *model,
                               const struct kind *kind)
{
    static struct potbench_report report;
    char subject[48];
    char baseline[48];
    size_t workers = (size_t)(bench->miners * bench->workers);
    uint64_t rows = bench->rows > 0 ? bench->rows : model->rows_per_miner;
    report = (struct potbench_report){
        .command = kind->command, .subject = subject, .baseline = baseline};
    (void)snprintf(subject, sizeof(subject),
                   "%" PRIu64 " validators, %" PRIu64 " miners", bench->nodes,
                   bench->miners);
    (void)snprintf(baseline, sizeof(baseline), "%zu worker%s alone", workers,
                   workers == 1 ? "" : "s");
    (void)snprintf(report.title, sizeof(report.title),
                   "%s: %s, %s, %" PRIu64 " rows a miner and round, %g audited,"
                   " %" PRIu64 " s a run",
                   kind->command, model->name, model->text, rows,
                   kind->audit_rate, bench->seconds);
    const struct potbench_task task = {
        .model = model,
        .rows_per_miner = rows,
        .rounds = WARM_ROUNDS + bench->seconds * ROUNDS_PER_SECOND,
        .min_submissions = 1,
        .timeout_ms = 30000,
        .audit_rate = kind->audit_rate,
    };
    enum exit_code rc = potbench_data_task(bench, bench->folder, &task);
    for (uint64_t i = 0; rc == EXIT_CODE_DONE && i < bench->repeat; i++) {
        struct train t = {.bench = bench, .model = model, .rows = rows};
        struct baseline beside = {.direct = {.rows_per_s = 0.0}};
        rc = run_network(&t);
        if (rc == EXIT_CODE_DONE) {
            rc = run_baseline(&beside, bench, model, kind, rows);
        }
        if (rc == EXIT_CODE_DONE) {
            kind->add(&report, &t, &beside);
        }
    }
    if (rc == EXIT_CODE_DONE) {
        potbench_report_print(bench, &report);
    }
    return rc;
}

static enum exit_code run_model(struct potbench *bench,
                                const struct potbench_model *model)
{
    const struct kind kind = {
        .command = "train", .add = add, .audit_rate = POTBENCH_AUDIT_RATE};
    return run_task(bench, model, &kind);
}

enum exit_code potbench_network(struct potbench *bench)
{
    struct potbench_model model = potbench_wide;
    if (bench->target > 0) {
        model.eval_every = TARGET_EVAL_EVERY;
    }
    if (bench->local_steps > 0) {
        model.local_steps = (uint32_t)bench->local_steps;
    }
    potbench_report_machine(bench);
    const struct kind kind = {.command = "network",
                              .add = add_parts,
                              .has_central = true,
                              .audit_rate = bench->audit_rate};
    return run_task(bench, &model, &kind);
}

static bool is_wanted(const struct potbench *bench,
                      const struct potbench_model *model)
{
    return bench->model == NULL || strcmp(bench->model, model->name) == 0;
}

static enum exit_code each_model(
    struct potbench *bench,
    enum exit_code (*run)(struct potbench *bench,
                          const struct potbench_model *model))
{
    bool is_found = false;
    enum exit_code rc = EXIT_CODE_DONE;
    potbench_report_machine(bench);
    for (size_t i = 0; rc == EXIT_CODE_DONE && i < potbench_model_count; i++) {
        if (is_wanted(bench, &potbench_models[i])) {
            is_found = true;
            rc = run(bench, &potbench_models[i]);
        }
    }
    return is_found ? rc
                    : ctl_fail(&bench->ctl, EXIT_CODE_USAGE,
                               "--model: fashion or digits, not \"%s\"",
                               bench->model);
}

enum exit_code potbench_train(struct potbench *bench)
{
    if (bench->miners > POTBENCH_NODES_MAX) {
        return ctl_fail(&bench->ctl, EXIT_CODE_USAGE,
                        "--miners: at most %d of train's", POTBENCH_NODES_MAX);
    }
    return each_model(bench, run_model);
}

/* ---- potbench worker */

static enum exit_code run_workers(struct potbench *bench,
                                  const struct potbench_model *model)
{
    static struct potbench_report report;
    char subject[32];
    uint64_t rows = bench->rows > 0 ? bench->rows : model->rows_per_miner;
    char *path = file_join(bench->folder, "train.pds");
    report = (struct potbench_report){
        .command = "worker", .subject = subject, .baseline = "1 worker"};
    (void)snprintf(subject, sizeof(subject), "%" PRIu64 " workers",
                   bench->workers);
    enum exit_code rc = potbench_data_write(bench, path, model, model->rows, 1);
    for (uint64_t i = 0; rc == EXIT_CODE_DONE && i < bench->repeat; i++) {
        struct potbench_direct many = {0};
        struct potbench_direct one = {0};
        rc = potbench_direct_run(&many, bench, model, path,
                                 (size_t)bench->workers, (size_t)rows);
        if (rc == EXIT_CODE_DONE) {
            rc = potbench_direct_run(&one, bench, model, path, 1, (size_t)rows);
        }
        (void)snprintf(report.title, sizeof(report.title),
                       "worker: %s, %s, %" PRIu64
                       " rows a job, OpenBLAS core %s",
                       model->name, model->text, rows, one.core);
        const struct potbench_figure figures[] = {
            {"rows_per_s", "training rows/s", many.rows_per_s, one.rows_per_s},
            {"worker_cpu_us_per_row", "worker CPU, us/row", many.cpu_us_per_row,
             one.cpu_us_per_row},
        };
        if (rc == EXIT_CODE_DONE) {
            potbench_report_add(&report, figures, 2);
        }
    }
    if (rc == EXIT_CODE_DONE) {
        potbench_report_print(bench, &report);
    }
    free(path);
    return rc;
}

enum exit_code potbench_worker(struct potbench *bench)
{
    return each_model(bench, run_workers);
}
