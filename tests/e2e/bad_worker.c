/* bad_worker: stands in the place of pot-worker and cheats its node.
 *
 * potd finds pot-worker beside its own executable: in a folder with a copy of
 * potd and this program under that name, a miner sends what it makes up.  It
 * lets the real pot-worker compute, and spoils what comes back.
 *
 * POT_BAD_REAL  the real pot-worker
 * POT_BAD_MODE  see enum mode
 * POT_BAD_FILE  "dump" writes it, "copy" reads it: one worker's sums; "held"
 *               waits for it
 * POT_BAD_CORE  which OpenBLAS core to claim; unset: the real one */
#include "config.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/file.h"
#include "base/hash.h"
#include "training/worker_protocol.h"
#include "training/worker_shm.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define DUMP_BYTES_MAX ((size_t)64 << 20)
#define COPY_TRIES     500
#define COPY_WAIT_NS   10000000
#define SPLIT_WAIT_NS  200000000
#define SLOW_WAIT_NS   100000000

enum mode {
    MODE_HONEST,
    MODE_NOISE,   /* random sums of the right size */
    MODE_STALE,   /* those of the job before */
    MODE_HALF,    /* half of the rows, twice as large */
    MODE_ZERO,    /* nothing at all */
    MODE_FLIP,    /* the other way */
    MODE_NUDGE,   /* each element off by up to a tenth */
    MODE_DRIFT,   /* by up to a hundredth: kernels differ by less */
    MODE_SPECK,   /* four elements off by a unit: within what kernels do */
    MODE_HUGE,    /* as large as it goes */
    MODE_DUMP,    /* honest, and told to the copier */
    MODE_COPY,    /* another miner's */
    MODE_LOSS,    /* a loss that nobody can have */
    MODE_BOAST,   /* the right gradient, and no loss at all */
    MODE_GARBAGE, /* no message of the protocol */
    MODE_CRASH,   /* dies when it gets work */
    MODE_HANG,    /* takes work and never answers */
    MODE_HELD,    /* honest, but not before its file is there */
    MODE_SLOW,    /* honest, a tenth of a second later */
    MODE_ERROR,   /* refuses its work */
    MODE_SPLIT,   /* the first to get work refuses it, the next one dies of
                     it somewhat later, all others are honest */
    MODE_ONCE,    /* the first to get work dies of it */
    MODE_OTHER,   /* the right gradient, of a job that nobody gave it */
    MODE_DATED,   /* of another version, it says; works all the same */
};

static const char *const mode_names[] = {
    "honest", "noise", "stale", "half",  "zero",  "flip",  "nudge",   "drift",
    "speck",  "huge",  "dump",  "copy",  "loss",  "boast", "garbage", "crash",
    "hang",   "held",  "slow",  "error", "split", "once",  "other",   "dated",
};

struct proxy {
    enum mode mode;
    const char *file;
    struct worker_shm shm;
    struct buf from_node;
    struct buf from_real;
    int to_real; /* descriptors of the real worker's pipes */
    int of_real;
    int64_t *previous; /* sums of the job before */
    size_t previous_count;
};

static enum mode mode_of(const char *name)
{
    size_t count = sizeof(mode_names) / sizeof(*mode_names);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(mode_names[i], name) == 0) {
            return (enum mode)i;
        }
    }
    (void)fprintf(stderr, "bad_worker: no mode \"%s\"\n", name);
    exit(2);
}

/* ---- the two streams */

static bool receive(struct worker_message *out, struct buf *in, int fd)
{
    for (;;) {
        uint8_t bytes[4096];
        enum worker_take taken = worker_take(out, in);
        if (taken != WORKER_TAKE_MORE) {
            return taken == WORKER_TAKE_MESSAGE;
        }
        ssize_t n = read(fd, bytes, sizeof(bytes));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        buf_append(in, bytes, (size_t)n);
    }
}

static bool send_to(int fd, const struct worker_message *message)
{
    uint8_t bytes[WORKER_MESSAGE_BYTES_MAX];
    size_t size = worker_encode(bytes, message);
    return file_write_all(fd, bytes, size) == POT_OK;
}

/* The real worker has the shared memory too: descriptor 3 goes through. */
static void start_real(struct proxy *p, const char *program)
{
    int in[2];
    int out[2];
    int rc = pipe(in);
    POT_ASSERT(rc == 0);
    rc = pipe(out);
    POT_ASSERT(rc == 0);
    pid_t pid = fork();
    POT_ASSERT(pid >= 0);
    if (pid == 0) {
        (void)dup2(in[0], STDIN_FILENO);
        (void)dup2(out[1], STDOUT_FILENO);
        (void)close(in[1]);
        (void)close(out[0]);
        (void)execl(program, "pot-worker", (char *)NULL);
        perror(program);
        _exit(127);
    }
    (void)close(in[0]);
    (void)close(out[1]);
    p->to_real = in[1];
    p->of_real = out[0];
}

/* ---- spoiling */

static size_t parameter_count(const struct worker_part *part)
{
    struct model_shape shape;
    enum pot_err err =
        model_shape_init(&shape, part->widths, part->width_count);
    POT_ASSERT(err == POT_OK);
    return shape.parameter_count;
}

static void *at(const struct proxy *p, uint64_t offset)
{
    return (char *)p->shm.data + offset;
}

static void theta_hash(struct hash *out, const struct proxy *p,
                       const struct worker_part *part)
{
    hash_bytes(out, "test-theta", at(p, part->theta_offset),
               parameter_count(part) * sizeof(int32_t));
}

static void spoil_noise(int64_t *sums, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t low = randombytes_random();
        int64_t high = (int64_t)randombytes_uniform(1 << 10) - (1 << 9);
        sums[i] = high * ((int64_t)1 << 32) + low;
    }
}

static void spoil_stale(struct proxy *p, int64_t *sums, size_t count)
{
    int64_t *fresh = pot_memdup(sums, count * sizeof(*sums));
    if (p->previous_count == count) {
        memcpy(sums, p->previous, count * sizeof(*sums));
    } else {
        memset(sums, 0, count * sizeof(*sums));
    }
    free(p->previous);
    p->previous = fresh;
    p->previous_count = count;
}

static void scale(int64_t *sums, size_t count, int64_t by)
{
    for (size_t i = 0; i < count; i++) {
        sums[i] *= by;
    }
}

static void spoil_nudge(int64_t *sums, size_t count, uint32_t per_mille)
{
    for (size_t i = 0; i < count; i++) {
        int64_t by = (int64_t)randombytes_uniform(2 * per_mille + 1);
        sums[i] += sums[i] / 1000 * (by - (int64_t)per_mille);
    }
}

/* A unit of int8 is a 127th of a tensor's largest element; the first hundreds
 * are of one tensor. */
static void spoil_speck(int64_t *sums, size_t count)
{
    int64_t peak = 0;
    for (size_t i = 0; i < count && i < 500; i++) {
        int64_t size = sums[i] < 0 ? -sums[i] : sums[i];
        peak = size > peak ? size : peak;
    }
    for (size_t i = 0; i < 4; i++) {
        sums[i] += peak / 127;
    }
}

static void dump(const struct proxy *p, const struct worker_part *part,
                 const struct worker_done *done)
{
    struct buf data;
    struct hash theta;
    theta_hash(&theta, p, part);
    buf_init(&data, DUMP_BYTES_MAX);
    buf_append(&data, theta.b, HASH_SIZE);
    buf_append(&data, &done->loss_sum, sizeof(done->loss_sum));
    buf_append(&data, at(p, part->sums_offset),
               parameter_count(part) * sizeof(int64_t));
    enum pot_err err = file_replace(p->file, 0600, data.data, data.size);
    POT_ASSERT(err == POT_OK);
    buf_fini(&data);
}

/* Waits for the other's sums at the same parameters, for a while. */
static void copy(const struct proxy *p, const struct worker_part *part,
                 struct worker_done *done)
{
    struct hash theta;
    size_t bytes = parameter_count(part) * sizeof(int64_t);
    theta_hash(&theta, p, part);
    for (int i = 0; i < COPY_TRIES; i++) {
        const struct timespec wait = {.tv_nsec = COPY_WAIT_NS};
        char *data = NULL;
        size_t size = 0;
        bool is_there =
            file_read(&data, &size, p->file, DUMP_BYTES_MAX) == POT_OK &&
            size == HASH_SIZE + sizeof(int64_t) + bytes &&
            memcmp(data, theta.b, HASH_SIZE) == 0;
        if (is_there) {
            memcpy(&done->loss_sum, data + HASH_SIZE, sizeof(int64_t));
            memcpy(at(p, part->sums_offset), data + HASH_SIZE + sizeof(int64_t),
                   bytes);
        }
        free(data);
        if (is_there) {
            return;
        }
        (void)nanosleep(&wait, NULL);
    }
    memset(at(p, part->sums_offset), 0, bytes);
}

static void spoil_huge(int64_t *sums, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sums[i] = i % 2 == 0 ? INT64_MAX : INT64_MIN;
    }
}

static void spoil(struct proxy *p, const struct worker_part *part,
                  struct worker_done *done)
{
    size_t count = parameter_count(part);
    int64_t *sums = at(p, part->sums_offset);
    switch (p->mode) {
    case MODE_NOISE:
        spoil_noise(sums, count);
        break;
    case MODE_STALE:
        spoil_stale(p, sums, count);
        break;
    case MODE_HALF:
        done->rows = part->row_count;
        done->loss_sum *= 2;
        scale(sums, count, 2);
        break;
    case MODE_ZERO:
        memset(sums, 0, count * sizeof(*sums));
        break;
    case MODE_FLIP:
        scale(sums, count, -1);
        break;
    case MODE_NUDGE:
        spoil_nudge(sums, count, 100);
        break;
    case MODE_DRIFT:
        spoil_nudge(sums, count, 10);
        break;
    case MODE_SPECK:
        spoil_speck(sums, count);
        break;
    case MODE_HUGE:
        spoil_huge(sums, count);
        break;
    case MODE_DUMP:
        dump(p, part, done);
        break;
    case MODE_COPY:
        copy(p, part, done);
        break;
    case MODE_LOSS:
        done->loss_sum = INT64_MAX;
        break;
    case MODE_BOAST:
        done->loss_sum = 0;
        break;
    case MODE_OTHER:
        done->job++;
        break;
    case MODE_HONEST:
    case MODE_ERROR:
    case MODE_SPLIT:
    case MODE_ONCE:
    case MODE_GARBAGE:
    case MODE_CRASH:
    case MODE_HANG:
    case MODE_HELD:
    case MODE_SLOW:
    case MODE_DATED:
        break;
    }
}

/* ---- a part on its way through */

/* True for the first process that asks, of all that share the file. */
static bool is_first(const struct proxy *p, const char *what)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s.%s", p->file, what);
    return file_create(path, 0600, "", 0) == POT_OK;
}

static bool refuse(const struct worker_part *part)
{
    struct worker_message reply = {.type = WORKER_ERROR};
    reply.error.job = part->job;
    (void)snprintf(reply.error.text, sizeof(reply.error.text), "no");
    return send_to(STDOUT_FILENO, &reply);
}

static bool wants_to_refuse(const struct proxy *p)
{
    const struct timespec wait = {.tv_nsec = SPLIT_WAIT_NS};
    if (p->mode == MODE_ERROR ||
        (p->mode == MODE_SPLIT && is_first(p, "refused"))) {
        return true;
    }
    if (p->mode == MODE_SPLIT && is_first(p, "died")) {
        (void)nanosleep(&wait, NULL);
        abort();
    }
    return false;
}

static void misbehave(const struct proxy *p)
{
    static const char garbage[] = "this is no message of the protocol";
    if (p->mode == MODE_CRASH ||
        (p->mode == MODE_ONCE && is_first(p, "died"))) {
        abort();
    }
    if (p->mode == MODE_GARBAGE) {
        enum pot_err err =
            file_write_all(STDOUT_FILENO, garbage, sizeof(garbage));
        POT_ASSERT(err == POT_OK);
    }
    if (p->mode == MODE_HANG) {
        for (;;) {
            (void)pause();
        }
    }
    const struct timespec wait = {.tv_nsec = COPY_WAIT_NS};
    while (p->mode == MODE_HELD && access(p->file, F_OK) != 0) {
        (void)nanosleep(&wait, NULL);
    }
    if (p->mode == MODE_SLOW) {
        const struct timespec pause = {.tv_nsec = SLOW_WAIT_NS};
        (void)nanosleep(&pause, NULL);
    }
}

static bool relay_part(struct proxy *p, struct worker_message *message)
{
    struct worker_message reply;
    struct worker_part part = message->part;
    misbehave(p);
    if (wants_to_refuse(p)) {
        return refuse(&part);
    }
    if (p->mode == MODE_HALF && message->part.row_count > 1) {
        message->part.row_count /= 2;
    }
    if (worker_shm_map(&p->shm, (size_t)part.shared_bytes) != POT_OK ||
        !send_to(p->to_real, message) ||
        !receive(&reply, &p->from_real, p->of_real)) {
        return false;
    }
    if (reply.type == WORKER_DIVERGED && p->mode == MODE_NOISE) {
        reply.type = WORKER_DONE;
        reply.done =
            (struct worker_done){.job = part.job, .rows = part.row_count};
    }
    if (reply.type == WORKER_DONE) {
        spoil(p, &part, &reply.done);
    }
    return send_to(STDOUT_FILENO, &reply);
}

static bool relay_hello(struct proxy *p)
{
    struct worker_message hello;
    const char *core = getenv("POT_BAD_CORE");
    if (!receive(&hello, &p->from_real, p->of_real)) {
        return false;
    }
    if (core != NULL) {
        (void)snprintf(hello.hello.core, sizeof(hello.hello.core), "%s", core);
    }
    hello.hello.version += p->mode == MODE_DATED;
    return send_to(STDOUT_FILENO, &hello);
}

int main(void)
{
    struct proxy p = {0};
    struct worker_message message;
    const char *real = getenv("POT_BAD_REAL");
    const char *mode = getenv("POT_BAD_MODE");
    p.file = getenv("POT_BAD_FILE");
    if (real == NULL || mode == NULL || sodium_init() < 0) {
        (void)fprintf(stderr, "bad_worker: POT_BAD_REAL and POT_BAD_MODE are "
                              "to be set\n");
        return 2;
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    p.mode = mode_of(mode);
    start_real(&p, real);
    worker_shm_attach(&p.shm, WORKER_SHARED_FD);
    buf_init(&p.from_node, 2 * WORKER_MESSAGE_BYTES_MAX + 4096);
    buf_init(&p.from_real, 2 * WORKER_MESSAGE_BYTES_MAX + 4096);
    bool is_fine = relay_hello(&p);
    while (is_fine && receive(&message, &p.from_node, STDIN_FILENO)) {
        is_fine = relay_part(&p, &message);
    }
    free(p.previous);
    buf_fini(&p.from_node);
    buf_fini(&p.from_real);
    worker_shm_close(&p.shm);
    return is_fine ? 0 : 1;
}
