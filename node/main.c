/* potd: the Proof-of-Training node.
 *
 * A tour of the tree, for whoever reads it first:
 *
 *   node/main.c        arguments
 *   node/node.c        a running node, from its start to its end
 *   node/startup.c     what it reads and locks first
 *   node/node_parts.c  where the parts are opened and introduced to each other
 *   node/network.c     where a peer's message goes
 *   node/loop/         work off the loop, timers
 *   node/hold/         what the node holds: store, blobs, data sets
 *   node/block/        a block's life, told in chain.h: how it is made, agreed
 *                      on, checked, stored.  replica.c drives
 *                      consensus/pbft.h, which decides what is committed
 *   node/tx/           transactions, until a block takes them
 *   node/round/        training: rounds.c is every node's side of it, with the
 *                      judging and attesting of a validator's; miner.c is a
 *                      miner's
 *   node/api/          HTTP
 *   ledger/            what a block does to accounts, data sets, tasks, models
 *   training/          data sets, gradients, audits; worker.c is pot-worker
 *   storage/, p2p/     LMDB and the network
 *   proto/, base/      formats, and what everyone uses
 */
#include "config.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/option.h"
#include "base/process_private.h"
#include "node/check_config.h"
#include "node/maintain.h"
#include "node/node.h"
#include "node/node_config.h"
#include "node/recover.h"
#include "node/verify_store.h"

#include <ctype.h>
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#define FAULTS_BYTES_MAX 65536
/* Of freed memory.  An array larger than the second, which is the most that
 * there is, goes back at once. */
#define KEPT_BYTES  (64 << 20)
#define ARRAY_BYTES (32 << 20)

static const char usage_text[] =
    "Usage: potd --config FILE [--check-config | --verify-store |\n"
    "            --recover | --unsafe-vote-now | --backup-store DIR |\n"
    "            --compact-store | --rollback HEIGHT | --resync]\n"
    "The Proof-of-Training node: validator, miner, API, as its config says.\n"
    "\n"
    "  -c, --config FILE    the node's settings (node.toml)\n"
    "      --check-config   say what is wrong with them, print what is in\n"
    "                       force, and exit\n"
    "      --verify-store   check every stored block, certificate and the\n"
    "                       state, replay the chain, and exit\n"
    "      --recover        prepare a home that was lost or is old, see "
    "potctl\n"
    "                       recover, and exit\n"
    "      --unsafe-vote-now\n"
    "                       vouch for what this key has signed, see potctl\n"
    "                       unsafe-vote-now, and exit\n"
    "      --backup-store DIR  copy the store, of a running node too, and\n"
    "                       exit\n"
    "      --compact-store  give its free pages back to the disk, and exit\n"
    "      --rollback HEIGHT  take the store back to this height, or by N\n"
    "                       blocks with -N, and exit\n"
    "      --resync         move the store aside, to sync anew, and exit\n"
    "  -h, --help           this text\n"
    "  -V, --version        version and protocol\n"
    "\n"
    "SIGTERM and SIGINT stop it.  SIGHUP re-opens the log and re-reads log\n"
    "level, format and file, peers, max_size_mb and min_free_mb; the log\n"
    "names what else was changed, which needs a restart.  Any key may be\n"
    "overridden from the environment: POTD_API_LISTEN=127.0.0.1:9000.\n"
    "\n"
    "Example: potctl testnet init --dir net && "
    "potd --config net/validator0/node.toml\n";

enum long_option {
    OPTION_CHECK = 256,
    OPTION_VERIFY,
    OPTION_RECOVER,
    OPTION_UNSAFE,
    OPTION_BACKUP,
    OPTION_COMPACT,
    OPTION_ROLLBACK,
    OPTION_RESYNC,
};

enum mode {
    MODE_RUN,
    MODE_CHECK,
    MODE_VERIFY,
    MODE_RECOVER,
    MODE_UNSAFE,
    MODE_BACKUP,
    MODE_COMPACT,
    MODE_ROLLBACK,
    MODE_RESYNC,
};

struct job {
    enum mode mode;
    const char *folder; /* MODE_BACKUP */
    struct rollback rollback;
};

static void print_version(void)
{
    printf("potd %s, protocol %d\nlibuv %s, libsodium %s\n", PACKAGE_VERSION,
           PROTOCOL_VERSION, uv_version_string(), sodium_version_string());
}

/* Whether the job is about a store that has to be there. */
static bool needs_store(enum mode mode)
{
    return mode == MODE_VERIFY || mode == MODE_BACKUP || mode == MODE_COMPACT ||
           mode == MODE_ROLLBACK || mode == MODE_RESYNC;
}

static enum exit_code run_mode(const struct node_config *config,
                               const struct job *job)
{
    if (needs_store(job->mode) && !maintain_has_store(config)) {
        return EXIT_CODE_FAILED;
    }
    switch (job->mode) {
    case MODE_RUN:
        check_config_peers(config);
        return check_config_start(config) ? node_run(config) : EXIT_CODE_CONFIG;
    case MODE_CHECK:
        break;
    case MODE_VERIFY:
        return verify_store(config);
    case MODE_RECOVER:
        return recover_home(config);
    case MODE_UNSAFE:
        return recover_unsafe_vote_now(config);
    case MODE_BACKUP:
        return maintain_backup(config, job->folder);
    case MODE_COMPACT:
        return maintain_compact(config);
    case MODE_ROLLBACK:
        return maintain_rollback(config, &job->rollback);
    case MODE_RESYNC:
        return maintain_resync(config);
    }
    return check_config(config);
}

static int run(const struct node_config *config, const struct job *job)
{
    const char *file = config->log_file[0] != '\0' ? config->log_file : NULL;
    enum pot_err err = log_open(config->log_level, config->log_format, file);
    if (err != POT_OK) {
        char what[96];
        struct buf faults;
        buf_init(&faults, FAULTS_BYTES_MAX);
        (void)snprintf(what, sizeof(what), "%s: it must be writable",
                       err_text(err));
        node_config_fault(config, &faults, "log.file", what);
        (void)check_config_tell(&faults);
        return EXIT_CODE_CONFIG;
    }
    return (int)run_mode(config, job);
}

static int load_and_run(const char *path, const struct job *job)
{
    struct node_config *config = NULL;
    struct buf faults;
    buf_init(&faults, FAULTS_BYTES_MAX);
    if (node_config_load(&config, path, &faults) != POT_OK) {
        (void)check_config_tell(&faults);
        return EXIT_CODE_CONFIG;
    }
    buf_fini(&faults);
    int code =
        job->mode == MODE_CHECK ? (int)check_config(config) : run(config, job);
    node_config_free(config);
    return code;
}

/* A height, or -N: so many blocks back. */
static bool take_height(struct job *job, const char *text)
{
    char *end;
    const char *digits = text + (text[0] == '-');
    errno = 0;
    job->rollback.is_back = text[0] == '-';
    job->rollback.count = strtoull(digits, &end, 10);
    bool is_fine =
        isdigit((unsigned char)digits[0]) && *end == '\0' && errno == 0;
    if (!is_fine) {
        fprintf(stderr,
                "potd: --rollback %s: must be a height, or -N for N blocks"
                " back\n",
                text);
    }
    return is_fine;
}

/* Whether it names a job. */
static bool take_job(struct job *job, int option, const char *value)
{
    static const struct {
        int option;
        enum mode mode;
    } modes[] = {
        {OPTION_CHECK, MODE_CHECK},       {OPTION_VERIFY, MODE_VERIFY},
        {OPTION_RECOVER, MODE_RECOVER},   {OPTION_UNSAFE, MODE_UNSAFE},
        {OPTION_BACKUP, MODE_BACKUP},     {OPTION_COMPACT, MODE_COMPACT},
        {OPTION_ROLLBACK, MODE_ROLLBACK}, {OPTION_RESYNC, MODE_RESYNC},
    };
    for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
        if (modes[i].option == option) {
            if (job->mode != MODE_RUN) {
                fprintf(stderr, "potd: only one thing can be done at once\n");
                return false;
            }
            job->mode = modes[i].mode;
            job->folder = value;
            return option != OPTION_ROLLBACK || take_height(job, value);
        }
    }
    return false;
}

/* Each round wants arrays of the model's size, on any thread, and frees them:
 * to get fresh pages for them costs more than what is done with them.  Threads
 * with memory of their own would each keep some. */
static void keep_memory(void)
{
    (void)mallopt(M_ARENA_MAX, 1);
    (void)mallopt(M_MMAP_THRESHOLD, ARRAY_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"check-config", no_argument, NULL, OPTION_CHECK},
        {"verify-store", no_argument, NULL, OPTION_VERIFY},
        {"recover", no_argument, NULL, OPTION_RECOVER},
        {"unsafe-vote-now", no_argument, NULL, OPTION_UNSAFE},
        {"backup-store", required_argument, NULL, OPTION_BACKUP},
        {"compact-store", no_argument, NULL, OPTION_COMPACT},
        {"rollback", required_argument, NULL, OPTION_ROLLBACK},
        {"resync", no_argument, NULL, OPTION_RESYNC},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    const char *path = NULL;
    struct job job = {.mode = MODE_RUN};
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* the write fails, as on a full disk */
    process_private();
    keep_memory();
    (void)setenv("UV_THREADPOOL_SIZE", "8", 0);
    if (sodium_init() < 0) {
        fprintf(stderr, "potd: libsodium does not start\n");
        return EXIT_CODE_FAILED;
    }
    for (int c; (c = option_next(argc, argv, "c:hV", options, NULL)) != -1;) {
        switch (c) {
        case 'c':
            path = optarg;
            break;
        case 'h':
            printf("%s", usage_text);
            return EXIT_CODE_DONE;
        case 'V':
            print_version();
            return EXIT_CODE_DONE;
        default:
            if (!take_job(&job, c, optarg)) {
                fprintf(stderr, "Try `potd --help`.\n");
                return EXIT_CODE_USAGE;
            }
        }
    }
    if (path == NULL || optind < argc) {
        fprintf(stderr, "potd: %s\nTry `potd --help`.\n",
                path == NULL ? "--config FILE is missing"
                             : "there are too many arguments");
        return EXIT_CODE_USAGE;
    }
    return load_and_run(path, &job);
}
