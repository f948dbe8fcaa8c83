/* potbench: how fast a network is, beside what it is measured against.
 *
 * A command starts real nodes on loopback, works them, measures, stops them
 * and does the same with its baseline, in turn, several times.  On a machine
 * that others use too the ratios say more than the numbers. */
#include "config.h"

#include "tests/bench/potbench.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/option.h"
#include "ctl/client.h"
#include "tests/bench/potbench_net.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct command {
    const char *name;
    enum exit_code (*run)(struct potbench *bench);
};

static const struct command commands[] = {
    {"txs", potbench_txs},     {"consensus", potbench_consensus},
    {"train", potbench_train}, {"network", potbench_network},
    {"swarm", potbench_swarm}, {"worker", potbench_worker},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(*commands))

static volatile sig_atomic_t is_interrupted;

static void on_signal(int number)
{
    (void)number;
    is_interrupted = 1;
}

enum exit_code potbench_stopped(struct potbench *bench)
{
    return is_interrupted == 0
               ? EXIT_CODE_DONE
               : ctl_fail(&bench->ctl, EXIT_CODE_FAILED, "interrupted");
}

/* ---- options */

enum option_id {
    OPTION_NODES = 256,
    OPTION_MINERS,
    OPTION_AGGREGATORS,
    OPTION_WORKERS,
    OPTION_SECONDS,
    OPTION_REPEAT,
    OPTION_RATE,
    OPTION_WINDOW,
    OPTION_TXS,
    OPTION_IN_FLIGHT,
    OPTION_NULL,
    OPTION_IN_MEMORY,
    OPTION_ROWS,
    OPTION_MODEL,
    OPTION_DATA,
    OPTION_STEPS,
    OPTION_TARGET,
    OPTION_AUDIT,
    OPTION_NODE,
    OPTION_KEY,
    OPTION_PORT,
    OPTION_JSON,
    OPTION_HELP,
    OPTION_VERSION,
};

static const struct option options[] = {
    {"nodes", required_argument, NULL, OPTION_NODES},
    {"miners", required_argument, NULL, OPTION_MINERS},
    {"aggregators", required_argument, NULL, OPTION_AGGREGATORS},
    {"workers", required_argument, NULL, OPTION_WORKERS},
    {"seconds", required_argument, NULL, OPTION_SECONDS},
    {"repeat", required_argument, NULL, OPTION_REPEAT},
    {"rate", required_argument, NULL, OPTION_RATE},
    {"window", required_argument, NULL, OPTION_WINDOW},
    {"txs", required_argument, NULL, OPTION_TXS},
    {"in-flight", required_argument, NULL, OPTION_IN_FLIGHT},
    {"null", no_argument, NULL, OPTION_NULL},
    {"in-memory", no_argument, NULL, OPTION_IN_MEMORY},
    {"rows", required_argument, NULL, OPTION_ROWS},
    {"model", required_argument, NULL, OPTION_MODEL},
    {"data", required_argument, NULL, OPTION_DATA},
    {"local-steps", required_argument, NULL, OPTION_STEPS},
    {"target", required_argument, NULL, OPTION_TARGET},
    {"audit-rate", required_argument, NULL, OPTION_AUDIT},
    {"node", required_argument, NULL, OPTION_NODE},
    {"key", required_argument, NULL, OPTION_KEY},
    {"base-port", required_argument, NULL, OPTION_PORT},
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static const char help_text[] =
    "usage: potbench COMMAND [OPTIONS]\n"
    "\n"
    "Measures a network of real nodes on this machine, and its baseline in\n"
    "turn with it.\n"
    "\n"
    "  txs      committed transfers a second and how long each takes, beside\n"
    "           a network of one node\n"
    "  consensus  signed transfers a second at several sizes of blocks, "
    "beside\n"
    "           what checking their signatures alone would allow\n"
    "  train    training rows a second of a network, beside as many workers\n"
    "           driven directly\n"
    "  network  train with 784-512-512-10, and what each part of it takes\n"
    "  swarm    very many light miners, some of them away, dying or "
    "cheating,\n"
    "           against real validators\n"
    "  worker   training rows a second of pot-workers, beside one\n"
    "\n"
    "all commands:\n"
    "  --seconds N      measured in each run (20)\n"
    "  --repeat N       repetitions (3)\n"
    "  --base-port N    first of the ports that the nodes listen on (30000)\n"
    "  --json           one JSON object for each table\n"
    "  --help, --version\n"
    "txs:\n"
    "  --nodes N        validators (4)\n"
    "  --rate N|max     transactions a second (max)\n"
    "  --window N       at most so many wait for a block (1000)\n"
    "  --node URL ...   a network that runs already; no baseline then\n"
    "  --key FILE       who funds the accounts there\n"
    "consensus:\n"
    "  --nodes N        validators (4)\n"
    "  --txs N          in a block, at most (1, 10, 100, 1000, 5000 in turn)\n"
    "  --in-flight N    kept in flight (1 with --txs 1, else twice --txs)\n"
    "  --null           unsigned empty commands, without a ledger or a store\n"
    "                   (blocks of 1, 400 and 1000)\n"
    "  --in-memory      the nodes' files in /dev/shm: what syncing costs\n"
    "train, network and worker:\n"
    "  --nodes N        validators (4)\n"
    "  --miners N       (2)\n"
    "  --workers N      of each miner (1); worker: at once (2)\n"
    "  --model NAME     fashion or digits (both)\n"
    "  --rows N         of a miner in a round (128, 256; network: 1664)\n"
    "network:\n"
    "  --data DIR       the four files of Fashion-MNIST (made-up data)\n"
    "  --local-steps N  in a round (1)\n"
    "  --target N       time to so much test accuracy, %\n"
    "  --audit-rate R   share of the submissions that are audited, 0 to 1\n"
    "                   (0.03, a task's usual one)\n"
    "swarm:\n"
    "  --nodes N        validators (4)\n"
    "  --miners N       at most 4096 (1000)\n"
    "  --aggregators N  which the miners connect to instead (none)\n"
    "\n"
    "examples:\n"
    "  potbench txs --rate 200 --seconds 10\n"
    "  potbench train --model fashion --rows 2048 --json\n";

struct line { /* the command line, read */
    bool wants_help;
    bool wants_version;
    const char *urls[POTBENCH_NODES_MAX];
};

static enum exit_code read_count(uint64_t *out, struct potbench *bench,
                                 const char *name, uint64_t max)
{
    if (!ctl_parse_count(out, optarg, max) || *out == 0) {
        return ctl_fail(&bench->ctl, EXIT_CODE_USAGE,
                        "--%s must be a number of 1 to %" PRIu64
                        ", not \"%s\"; see `potbench --help`",
                        name, max, optarg);
    }
    return EXIT_CODE_DONE;
}

static enum exit_code read_port(struct potbench *bench)
{
    uint64_t port;
    enum exit_code rc = read_count(&port, bench, "base-port", 65000);
    bench->base_port = rc == EXIT_CODE_DONE ? (uint16_t)port : 0;
    return rc;
}

static enum exit_code read_rate(struct potbench *bench)
{
    bench->rate = 0;
    return strcmp(optarg, "max") == 0
               ? EXIT_CODE_DONE
               : read_count(&bench->rate, bench, "rate", 1000000);
}

static enum exit_code read_audit_rate(struct potbench *bench)
{
    char *end;
    bench->audit_rate = strtod(optarg, &end);
    bool is_rate = end != optarg && *end == '\0' && bench->audit_rate >= 0.0 &&
                   bench->audit_rate <= 1.0;
    return is_rate
               ? EXIT_CODE_DONE
               : ctl_fail(&bench->ctl, EXIT_CODE_USAGE,
                          "--audit-rate must be a number of 0 to 1, not \"%s\"",
                          optarg);
}

static enum exit_code add_url(struct potbench *bench, struct line *line)
{
    if (bench->url_count == POTBENCH_NODES_MAX) {
        return ctl_fail(&bench->ctl, EXIT_CODE_USAGE, "at most %d times --node",
                        POTBENCH_NODES_MAX);
    }
    line->urls[bench->url_count++] = optarg;
    return EXIT_CODE_DONE;
}

static enum exit_code read_network_option(struct potbench *bench, int id)
{
    switch (id) {
    case OPTION_AGGREGATORS:
        return read_count(&bench->aggregators, bench, "aggregators",
                          TESTNET_AGGREGATORS_MAX);
    case OPTION_DATA:
        bench->data = optarg;
        return EXIT_CODE_DONE;
    case OPTION_STEPS:
        return read_count(&bench->local_steps, bench, "local-steps",
                          LOCAL_STEPS_MAX);
    case OPTION_TARGET:
        return read_count(&bench->target, bench, "target", 100);
    case OPTION_AUDIT:
        return read_audit_rate(bench);
    default:
        return ctl_fail(&bench->ctl, EXIT_CODE_USAGE,
                        "an option is unknown or lacks its value; see"
                        " `potbench --help`");
    }
}

static enum exit_code read_option(struct potbench *bench, struct line *line,
                                  int id)
{
    switch (id) {
    case OPTION_NODES:
        return read_count(&bench->nodes, bench, "nodes", POTBENCH_NODES_MAX);
    case OPTION_MINERS:
        return read_count(&bench->miners, bench, "miners", ROSTER_MAX);
    case OPTION_WORKERS:
        return read_count(&bench->workers, bench, "workers", 64);
    case OPTION_SECONDS:
        return read_count(&bench->seconds, bench, "seconds", 3600);
    case OPTION_REPEAT:
        return read_count(&bench->repeat, bench, "repeat", POTBENCH_REPEAT_MAX);
    case OPTION_RATE:
        return read_rate(bench);
    case OPTION_WINDOW:
        return read_count(&bench->window, bench, "window", 100000);
    case OPTION_TXS:
        return read_count(&bench->txs, bench, "txs", BLOCK_TXS_MAX);
    case OPTION_IN_FLIGHT:
        return read_count(&bench->in_flight, bench, "in-flight", 100000);
    case OPTION_NULL:
        bench->is_null = true;
        return EXIT_CODE_DONE;
    case OPTION_IN_MEMORY:
        bench->is_in_memory = true;
        return EXIT_CODE_DONE;
    case OPTION_ROWS:
        return read_count(&bench->rows, bench, "rows", ROWS_PER_MINER_MAX);
    case OPTION_PORT:
        return read_port(bench);
    case OPTION_NODE:
        return add_url(bench, line);
    case OPTION_MODEL:
        bench->model = optarg;
        return EXIT_CODE_DONE;
    case OPTION_KEY:
        bench->ctl.key_path = optarg;
        return EXIT_CODE_DONE;
    case OPTION_JSON:
        bench->ctl.is_json = true;
        return EXIT_CODE_DONE;
    case OPTION_HELP:
        line->wants_help = true;
        return EXIT_CODE_DONE;
    case OPTION_VERSION:
        line->wants_version = true;
        return EXIT_CODE_DONE;
    default:
        return read_network_option(bench, id);
    }
}

static enum exit_code read_line(struct potbench *bench, struct line *line,
                                int argc, char **argv)
{
    int id;
    opterr = 0;
    while ((id = option_next(argc, argv, "", options, NULL)) != -1) {
        enum exit_code rc = read_option(bench, line, id);
        if (rc != EXIT_CODE_DONE) {
            return rc;
        }
    }
    bench->urls = line->urls;
    return EXIT_CODE_DONE;
}

/* ---- running */

static enum exit_code make_folder(struct potbench *bench)
{
    const char *parent = bench->is_in_memory ? "/dev/shm" : getenv("TMPDIR");
    char *path = file_join(parent != NULL ? parent : "/tmp", "potbench-XXXXXX");
    if (mkdtemp(path) == NULL) {
        enum exit_code rc = ctl_fail(
            &bench->ctl, EXIT_CODE_FAILED, "cannot make a folder in %s: %s",
            parent != NULL ? parent : "/tmp", strerror(errno));
        free(path);
        return rc;
    }
    bench->folder = path;
    return EXIT_CODE_DONE;
}

/* The folder of this very program: the others lie beside it. */
static char *find_programs(void)
{
    char path[4096];
    ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 1);
    POT_ASSERT(size > 0);
    path[size] = '\0';
    return file_folder(path);
}

static enum exit_code run_command(struct potbench *bench, const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].name, name) != 0) {
            continue;
        }
        if (commands[i].run == potbench_worker && bench->workers == 0) {
            bench->workers = 2;
        }
        bench->workers = bench->workers == 0 ? 1 : bench->workers;
        if (bench->miners == 0) {
            bench->miners = commands[i].run == potbench_swarm ? 1000 : 2;
        }
        enum exit_code rc = make_folder(bench);
        return rc == EXIT_CODE_DONE ? commands[i].run(bench) : rc;
    }
    return ctl_fail(&bench->ctl, EXIT_CODE_USAGE,
                    "\"%s\" is no command: txs, consensus, train, network,"
                    " swarm or worker; see `potbench --help`",
                    name);
}

static enum exit_code run(struct potbench *bench, int argc, char **argv)
{
    struct line line = {0};
    enum exit_code rc = read_line(bench, &line, argc, argv);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    if (line.wants_help) {
        (void)fputs(help_text, stdout);
        return EXIT_CODE_DONE;
    }
    if (line.wants_version) {
        (void)printf("potbench %s, protocol %d\n", PACKAGE_VERSION,
                     PROTOCOL_VERSION);
        return EXIT_CODE_DONE;
    }
    if (argc - optind != 1) {
        (void)fputs(help_text, stderr);
        return ctl_fail(&bench->ctl, EXIT_CODE_USAGE, "one command is needed");
    }
    return run_command(bench, argv[optind]);
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

int main(int argc, char **argv)
{
    struct potbench bench = {
        .ctl = {.deadline_ms = UINT64_MAX},
        .base_port = 30000,
        .seconds = 20,
        .repeat = 3,
        .nodes = 4,
        .window = 1000,
        .audit_rate = 0.03,
    };
    /* What is measured must not depend on these. */
    (void)unsetenv("OPENBLAS_CORETYPE");
    (void)unsetenv("OPENBLAS_NUM_THREADS");
    (void)unsetenv("POTCTL_NODE");
    (void)unsetenv("POTCTL_KEY");
    catch_signals();
    bench.programs = find_programs();
    enum exit_code rc = run(&bench, argc, argv);
    if (rc != EXIT_CODE_DONE) {
        (void)fprintf(stderr, "potbench: %s\n", bench.ctl.error);
    }
    if (bench.folder != NULL) {
        potbench_net_remove(bench.folder);
    }
    client_close(bench.ctl.client);
    free(bench.folder);
    free(bench.programs);
    return (int)rc;
}
