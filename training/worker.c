/* pot-worker: computes gradients for potd, which starts it.
 *
 *   say hello; then, until standard input closes: read a part, compute, reply
 *
 * It holds no secret and opens nothing but the data set that a part names: from
 * the first part on it cannot (training/worker_sandbox.h).
 * When it is wrong about something it aborts: potd starts another one. */
#include "config.h"

#include "base/buf.h"
#include "base/check.h"
#include "base/file.h"
#include "training/exact.h"
#include "training/worker_core.h"
#include "training/worker_protocol.h"
#include "training/worker_run.h"
#include "training/worker_sandbox.h"
#include "training/worker_shm.h"

#include <cblas.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define EXIT_FAILED 1
#define EXIT_USAGE  2

#define EXACT_VARIABLE "POT_EXACT_KERNEL"

static bool send_message(const struct worker_message *message)
{
    uint8_t bytes[WORKER_MESSAGE_BYTES_MAX];
    size_t size = worker_encode(bytes, message);
    for (size_t sent = 0; sent < size;) {
        ssize_t n = write(STDOUT_FILENO, bytes + sent, size - sent);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        sent += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* The fastest variant of the exact lane that gives the scalar one's bits on
 * this very processor; POT_EXACT_KERNEL asks for another one.  NULL: there is
 * none of that name, or it is wrong. */
static const struct product *choose_exact(void)
{
    const struct product *variants[EXACT_VARIANTS_MAX];
    size_t count = exact_variants(variants);
    const char *wanted = getenv(EXACT_VARIABLE);
    for (size_t i = 0; i < count; i++) {
        const char *name = variants[i]->name;
        if (wanted != NULL && strcmp(wanted, name) != 0) {
            continue;
        }
        if (variants[i] == &exact_scalar || exact_agrees(variants[i])) {
            return variants[i];
        }
        (void)fprintf(stderr,
                      "pot-worker: the exact kernel %s is wrong on this "
                      "processor and is not used\n",
                      name);
    }
    return NULL;
}

static bool say_hello(const struct product *exact)
{
    struct worker_message message = {.type = WORKER_HELLO};
    message.hello.version = WORKER_VERSION;
    (void)snprintf(message.hello.core, WORKER_CORE_SIZE, "%s",
                   openblas_get_corename());
    (void)snprintf(message.hello.exact, WORKER_EXACT_SIZE, "%s", exact->name);
    (void)snprintf(message.hello.config, WORKER_CONFIG_SIZE, "%s",
                   openblas_get_config());
    return send_message(&message);
}

/* The next message; WORKER_TAKE_MORE when the input has ended. */
static enum worker_take read_message(struct worker_message *message,
                                     struct buf *in)
{
    for (;;) {
        uint8_t bytes[4096];
        enum worker_take taken = worker_take(message, in);
        if (taken != WORKER_TAKE_MORE) {
            return taken;
        }
        ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return WORKER_TAKE_MORE;
        }
        buf_append(in, bytes, (size_t)n);
    }
}

/* All data sets of a node lie in one folder. */
static enum pot_err enter_sandbox(const struct worker_message *first)
{
    if (first->type != WORKER_PART) {
        return POT_OK;
    }
    char *folder = file_folder(first->part.path);
    enum pot_err err = worker_sandbox_enter(folder);
    free(folder);
    return err;
}

static int serve(struct worker_run *worker, struct buf *in)
{
    struct worker_message message;
    struct worker_message reply;
    enum worker_take taken = read_message(&message, in);
    if (taken == WORKER_TAKE_MESSAGE && enter_sandbox(&message) != POT_OK) {
        (void)fputs("pot-worker: this kernel filters no system calls: nothing "
                    "is computed\n",
                    stderr);
        return EXIT_FAILED;
    }
    while (taken == WORKER_TAKE_MESSAGE && message.type == WORKER_PART) {
        worker_run_part(&reply, worker, &message.part);
        if (!send_message(&reply)) {
            return 0;
        }
        taken = read_message(&message, in);
    }
    if (taken == WORKER_TAKE_MORE) {
        return 0;
    }
    (void)fputs("pot-worker: standard input is not a list of parts\n", stderr);
    return EXIT_FAILED;
}

enum core_test { CORE_FORCED, CORE_TESTED, CORE_DOUBTED };

static int run(enum core_test test)
{
    struct worker_shm shm;
    struct buf in;
    openblas_set_num_threads(1);
    exact_set_rounding();
    const struct product *exact = choose_exact();
    /* Said before the limits, which end it for what they forbid. */
    if (exact == NULL) {
        (void)fprintf(stderr,
                      "pot-worker: this processor has no exact kernel \"%s\" "
                      "that works: set miner.exact_kernel = \"auto\", or "
                      "unset POT_EXACT_KERNEL\n",
                      getenv(EXACT_VARIABLE));
        return EXIT_USAGE;
    }
    if (test != CORE_FORCED) {
        worker_core_settle(test == CORE_TESTED ? exact : NULL);
    }
    if (fcntl(WORKER_SHARED_FD, F_SETFD, FD_CLOEXEC) != 0) {
        (void)fputs("pot-worker: descriptor 3 is not open; potd starts this "
                    "program, it is not for the command line\n",
                    stderr);
        return EXIT_USAGE;
    }
    worker_sandbox_limit();
    worker_shm_attach(&shm, WORKER_SHARED_FD);
    /* One message and what came with it of the next. */
    buf_init(&in, 2 * WORKER_MESSAGE_BYTES_MAX + 4096);
    struct worker_run *worker = worker_run_new(&shm, exact);
    int status = say_hello(exact) ? serve(worker, &in) : 0;
    worker_run_free(worker);
    buf_fini(&in);
    worker_shm_close(&shm);
    return status;
}

static int measure_core(void)
{
    struct worker_core core;
    openblas_set_num_threads(1);
    worker_core_measure(&core, &product_blas);
    (void)printf("%s %.1f\n", core.name, core.rate);
    return 0;
}

/* One that begins anew with another kernel has lost its name to the path of
 * that: lists of processes show "exe". */
static void keep_name(void)
{
    (void)prctl(PR_SET_NAME, "pot-worker");
}

int main(int argc, char **argv)
{
    keep_name();
    if (argc == 1) {
        return run(getenv(WORKER_CORE_VARIABLE) == NULL ? CORE_TESTED
                                                        : CORE_FORCED);
    }
    if (argc == 2 && strcmp(argv[1], "--doubt-core") == 0) {
        return run(CORE_DOUBTED);
    }
    if (argc == 2 && strcmp(argv[1], WORKER_CORE_MEASURE) == 0) {
        return measure_core();
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        (void)printf("pot-worker %s (%s)\n", PACKAGE_VERSION,
                     openblas_get_config());
        return 0;
    }
    bool is_help = argc == 2 && strcmp(argv[1], "--help") == 0;
    (void)fputs("Usage: pot-worker [OPTION]\n"
                "Computes gradients for potd, which starts it and talks to it "
                "over pipes.\n"
                "  --measure-core  OpenBLAS's kernel and its 10^9 "
                "multiply-adds a second\n"
                "  --doubt-core    run, but look for a better kernel than "
                "OPENBLAS_CORETYPE\n",
                is_help ? stdout : stderr);
    return is_help ? 0 : EXIT_USAGE;
}
