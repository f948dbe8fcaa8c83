#include "config.h"

#include "tests/bench/potbench_report.h"

#include "base/check.h"
#include "tests/bench/bench_util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

struct spread {
    double least;
    double median;
    double most;
};

static struct spread spread_of(double *values, size_t count)
{
    if (count == 0) {
        return (struct spread){0};
    }
    bench_sort(values, count);
    double middle = (values[(count - 1) / 2] + values[count / 2]) / 2.0;
    return (struct spread){values[0], middle, values[count - 1]};
}

enum part { PART_SUBJECT, PART_BASELINE, PART_RATIO };

static struct spread figure_spread(const struct potbench_report *r, size_t at,
                                   enum part part)
{
    double values[POTBENCH_REPEAT_MAX];
    size_t count = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct potbench_figure *f = &r->runs[i][at];
        if (part == PART_SUBJECT) {
            values[count++] = f->subject;
        } else if (f->baseline > 0.0) {
            values[count++] =
                part == PART_BASELINE ? f->baseline : f->subject / f->baseline;
        }
    }
    return spread_of(values, count);
}

void potbench_report_add(struct potbench_report *report,
                         const struct potbench_figure *figures, size_t count)
{
    POT_ASSERT(report->count < POTBENCH_REPEAT_MAX);
    POT_ASSERT(count <= POTBENCH_FIGURES_MAX);
    POT_ASSERT(report->count == 0 || report->figure_count == count);
    memcpy(report->runs[report->count++], figures, count * sizeof(*figures));
    report->figure_count = count;
}

/* ---- the machine */

static void read_model(char *out, size_t size)
{
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "re");
    (void)snprintf(out, size, "unknown processor");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon != NULL) {
            (void)snprintf(out, size, "%.*s", (int)strcspn(colon + 2, "\n"),
                           colon + 2);
            break;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

struct machine {
    char processor[128];
    long cores;
    double load;
    struct utsname system;
};

static void read_machine(struct machine *m)
{
    *m = (struct machine){.cores = sysconf(_SC_NPROCESSORS_ONLN)};
    read_model(m->processor, sizeof(m->processor));
    (void)uname(&m->system);
    double loads[1] = {0.0};
    (void)getloadavg(loads, 1);
    m->load = loads[0];
}

void potbench_report_machine(const struct potbench *bench)
{
    struct machine m;
    read_machine(&m);
    if (!bench->ctl.is_json) {
        (void)printf("machine: %s, %ld cores, load %.1f at the start, %s %s\n",
                     m.processor, m.cores, m.load, m.system.sysname,
                     m.system.release);
        (void)fflush(stdout);
    }
}

/* ---- for people */

static const char *number(char text[static 16], double value)
{
    int digits = value >= 100.0 ? 0 : 2;
    if (value > 0.0 && value < 0.1) {
        digits = 4;
    }
    (void)snprintf(text, 16, "%.*f", digits, value);
    return text;
}

static void print_spread(struct spread s)
{
    char least[16];
    char median[16];
    char most[16];
    (void)printf(" %8s %8s %8s ", number(least, s.least),
                 number(median, s.median), number(most, s.most));
}

static void print_table(const struct potbench_report *r)
{
    bool has_baseline = r->baseline[0] != '\0';
    (void)printf("\n%s; %zu repetition%s%s\n", r->title, r->count,
                 r->count == 1 ? "" : "s",
                 has_baseline ? ", in turn with the baseline" : "");
    (void)printf("%-24s %27s %27s %27s\n", "", r->subject, r->baseline,
                 has_baseline ? "ratio" : "");
    (void)printf("%-24s", "");
    for (size_t i = 0; i < (has_baseline ? 3 : 1); i++) {
        (void)printf(" %8s %8s %8s ", "min", "median", "max");
    }
    (void)putchar('\n');
    for (size_t at = 0; at < r->figure_count; at++) {
        (void)printf("%-24s", r->runs[0][at].text);
        print_spread(figure_spread(r, at, PART_SUBJECT));
        if (r->runs[0][at].baseline > 0.0) {
            print_spread(figure_spread(r, at, PART_BASELINE));
            print_spread(figure_spread(r, at, PART_RATIO));
        }
        (void)putchar('\n');
    }
    (void)fflush(stdout);
}

/* ---- for programs */

static json_t *spread_json(struct spread s)
{
    return json_pack("{sf sf sf}", "min", s.least, "median", s.median, "max",
                     s.most);
}

static json_t *figure_json(const struct potbench_report *r, size_t at)
{
    json_t *json = json_pack("{ss ss so}", "name", r->runs[0][at].name, "text",
                             r->runs[0][at].text, "subject",
                             spread_json(figure_spread(r, at, PART_SUBJECT)));
    if (json != NULL && r->runs[0][at].baseline > 0.0) {
        (void)json_object_set_new(
            json, "baseline", spread_json(figure_spread(r, at, PART_BASELINE)));
        (void)json_object_set_new(
            json, "ratio", spread_json(figure_spread(r, at, PART_RATIO)));
    }
    return json;
}

static void print_json(const struct potbench_report *r)
{
    struct machine m;
    json_t *figures = json_array();
    read_machine(&m);
    for (size_t at = 0; at < r->figure_count; at++) {
        (void)json_array_append_new(figures, figure_json(r, at));
    }
    json_t *json = json_pack(
        "{ss ss ss ss sI s{ss sI sf ss} so}", "command", r->command, "title",
        r->title, "subject", r->subject, "baseline", r->baseline, "repetitions",
        (json_int_t)r->count, "machine", "processor", m.processor, "cores",
        (json_int_t)m.cores, "load", m.load, "system", m.system.release,
        "figures", figures);
    POT_ASSERT(json != NULL);
    (void)json_dumpf(json, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
    (void)putchar('\n');
    (void)fflush(stdout);
    json_decref(json);
}

void potbench_report_print(const struct potbench *bench,
                           const struct potbench_report *report)
{
    if (bench->ctl.is_json) {
        print_json(report);
    } else {
        print_table(report);
    }
}
