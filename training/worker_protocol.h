/* worker_protocol: what potd and pot-worker say to each other.
 *
 * A job is a gradient; each worker computes a part of its rows.  pot-worker
 * reads parts from standard input and writes replies to standard output;
 * descriptor 3 is the shared memory (training/worker_shm.h).  One part at a
 * time.  It ends when its standard input closes.
 *
 *   worker -> node  HELLO, once
 *   node -> worker  PART
 *   worker -> node  DONE, DIVERGED or ERROR with the number of the part's job
 *
 * A message is a header and a body, little-endian:
 *
 *   u32  magic "PTW1"
 *   u32  type
 *   u32  size of the body
 *   u32  0
 *   HELLO  u32 version, u32 0, char core[32], char exact[16],
 *          char config[128], NUL-padded
 *   PART   u64 job, shared_bytes, theta_offset, rows_offset, sums_offset,
 *          row_count; u32 block_rows, activation, loss, numerics,
 *          local_steps, local_rate, width_count; u32 widths[width_count];
 *          u32 path_size, char path[path_size]
 *   DONE   u64 job, u64 rows, i64 loss_sum (Q40.24), u64 elapsed_us
 *   ERROR  u64 job, char text[<= 256]
 *   DIVERGED  u64 job: the loss or the gradient is no finite number, which in
 *          the exact lane it is nowhere else either
 *
 * In the shared memory, at the part's offsets (multiples of 8, not
 * overlapping): theta, i32 Q8.24 for each parameter; rows, u64 for each row;
 * and, written before DONE is sent, sums: i64 for each parameter, the
 * gradient's sum over the rows in units of 2^-40 (training/quantise.h).
 *
 * With several local steps the part is all of the job's rows, in so many
 * blocks of the same size; each is a step of SGD, theta -= local_rate * the
 * block's mean gradient, in float32; and sums is the old theta less the last
 * one.  The losses are those before each step. */
#ifndef POT_TRAINING_WORKER_PROTOCOL_H
#define POT_TRAINING_WORKER_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "proto/model.h"

#define WORKER_VERSION           4
#define WORKER_SHARED_FD         3
#define WORKER_CORE_SIZE         32
#define WORKER_EXACT_SIZE        16
#define WORKER_CONFIG_SIZE       128
#define WORKER_TEXT_SIZE         257
#define WORKER_PATH_SIZE         4096
#define WORKER_HEADER_BYTES      16
#define WORKER_BODY_BYTES_MAX    (76 + 4 * LAYERS_MAX + 4 + WORKER_PATH_SIZE)
#define WORKER_MESSAGE_BYTES_MAX (WORKER_HEADER_BYTES + WORKER_BODY_BYTES_MAX)

enum worker_type {
    WORKER_HELLO = 1,
    WORKER_PART = 2,
    WORKER_DONE = 3,
    WORKER_ERROR = 4,
    WORKER_DIVERGED = 5,
};

struct worker_part {
    uint64_t job;          /* its number */
    uint64_t shared_bytes; /* size of the shared memory: it may have grown */
    uint64_t theta_offset;
    uint64_t rows_offset;
    uint64_t sums_offset;
    uint64_t row_count;   /* of this part, > 0 */
    uint32_t block_rows;  /* assign_block_rows() of all the job's rows */
    uint32_t activation;  /* Pot__Activation */
    uint32_t loss;        /* Pot__Loss */
    uint32_t numerics;    /* Pot__Numerics: the lane */
    uint32_t local_steps; /* 0 or 1: none, the gradient at theta */
    uint32_t local_rate;  /* Q4.28 */
    uint32_t width_count;
    uint32_t widths[LAYERS_MAX];
    char path[WORKER_PATH_SIZE]; /* of the .pds file */
};

struct worker_hello {
    uint32_t version;
    char core[WORKER_CORE_SIZE];     /* as OpenBLAS names it: "Haswell" */
    char exact[WORKER_EXACT_SIZE];   /* variant of the other lane: "avx2" */
    char config[WORKER_CONFIG_SIZE]; /* OpenBLAS's version and build */
};

struct worker_done {
    uint64_t job;
    uint64_t rows;
    int64_t loss_sum; /* Q40.24, over the rows */
    uint64_t elapsed_us;
};

struct worker_error {
    uint64_t job; /* 0: not about one */
    char text[WORKER_TEXT_SIZE];
};

struct worker_diverged {
    uint64_t job;
};

/* Either direction; the type says which member counts. */
struct worker_message {
    enum worker_type type;
    union {
        struct worker_diverged diverged;
        struct worker_hello hello;
        struct worker_part part;
        struct worker_done done;
        struct worker_error error;
    };
};

/* worker_encode: the bytes of a message; returns their number. */
size_t worker_encode(uint8_t out[static WORKER_MESSAGE_BYTES_MAX],
                     const struct worker_message *message);

enum worker_take {
    WORKER_TAKE_MORE,    /* in holds no whole message yet */
    WORKER_TAKE_MESSAGE, /* *out is set, its bytes are gone from in */
    WORKER_TAKE_BROKEN,  /* not this protocol: end the worker */
};

/* worker_take: the next message of a stream of bytes.  Texts in it are
 * printable and NUL-terminated; job numbers are not checked here. */
enum worker_take worker_take(struct worker_message *out, struct buf *in);

struct worker_layout {
    uint64_t theta_offset;
    uint64_t rows_offset;
    uint64_t sums_offset;
    uint64_t size;
};

/* worker_layout_init: where a part's arrays may lie, one after another; each
 * begins on a cache line.  Errors: POT_ELIMIT. */
POT_MUST_USE enum pot_err worker_layout_init(struct worker_layout *out,
                                             uint64_t parameter_count,
                                             uint64_t row_count);

#endif
