/* limits: every size that all nodes must agree on, whoever checks it, and
 * those that more than one folder relies on. */
#ifndef POT_BASE_LIMITS_H
#define POT_BASE_LIMITS_H

#include <stdint.h>

#define PROTOCOL_VERSION 1

#define VALIDATORS_MAX         128
#define ROSTER_MAX             4096
#define LAYERS_MAX             16 /* widths in a model, the input's too */
#define LAYER_WIDTH_MAX        65536
#define PARAMETERS_MAX         67108864 /* 2^26: 256 MiB of int32 */
#define BLOCK_TXS_MAX          10000
#define ROUND_UPDATES_MAX      64    /* in a block */
#define EVIDENCE_MAX           16    /* in a block */
#define EVIDENCE_BYTES_MAX     16384 /* a prepared certificate of all in it */
#define UNBONDINGS_MAX         32    /* of an account */
#define CHALLENGES_TASK_MAX    256   /* open ones, of a task... */
#define CHALLENGES_OWN_MAX     16    /* ...and by one challenger */
#define TASKS_RUNNING_MAX      64
#define STAKERS_MAX            16384 /* of one role */
#define ROUNDS_MAX             1000000
#define ROWS_PER_MINER_MAX     1048576 /* 2^20 */
#define SHARDS_PER_ROUND_MAX   1024
#define TOPK_SHARE_PPM_MAX     500000
#define LOCAL_STEPS_MAX        1000
#define LOCAL_ROWS_MAX         4096 /* of one local step */
#define ROUND_TIMEOUT_MS_MIN   100
#define ROUND_TIMEOUT_MS_MAX   86400000 /* a day */
#define TX_BYTES_MAX           (1 << 20)
#define TX_BATCH_MAX           5000      /* transactions sent at once... */
#define TX_BATCH_BYTES_MAX     (2 << 20) /* ...and their bytes */
#define TX_TEXT_MAX            64        /* names and monikers, in bytes */
#define BLOCK_BYTES_MAX        (4 << 20)
#define BLOCK_HEADER_BYTES_MAX 1024
#define BLOB_PIECE_BYTES       (256 << 10)
#define DATASET_CHUNK_BYTES    (1 << 20)
#define DATASET_CHUNKS_MAX     16384
#define DATASET_FEATURES_MAX   65536
#define DATASET_CLASSES_MAX    4096
#define DATASET_ROWS_MAX       (UINT64_C(1) << 32)
/* Parts of a whole: in a million, in ten thousand. */
#define PPM_ONE 1000000
#define BPS_ONE 10000

/* What a replica remembers: two blocks and their certificates. */
#define PBFT_RECORD_BYTES_MAX (2 * BLOCK_BYTES_MAX + (256 << 10))
/* A frame holds a block with what wraps it, or a piece of a blob. */
#define FRAME_BYTES_MAX (BLOCK_BYTES_MAX + (256 << 10))

/* Test rows times parameters in one evaluation: seconds, not minutes. */
#define EVALUATION_PRODUCTS_MAX (UINT64_C(1) << 34)
/* A miner's rows times parameters in one round, local steps or not: seconds
 * with vectors.  A worker's deadline grows with them. */
#define GRADIENT_PRODUCTS_MAX 68719476736 /* 2^36 */

_Static_assert(BLOB_PIECE_BYTES < FRAME_BYTES_MAX, "a piece fits a frame");
_Static_assert(TX_BYTES_MAX < BLOCK_BYTES_MAX, "a transaction fits a block");
_Static_assert(DATASET_CHUNKS_MAX * 40 < TX_BYTES_MAX,
               "a data set's chunk list fits a transaction");

/* LIMIT_TEXT: a limit's number as text, for one written as a plain number. */
#define LIMIT_TEXT(limit)  LIMIT_TEXT_(limit)
#define LIMIT_TEXT_(limit) #limit

#endif
