/* row_gather: the rows of one job, put together in a file of their own when
 * their data set is not held whole.
 *
 * Only the chunks that the rows lie in are needed.  Those that this node does
 * not hold are fetched, into the cache; each is checked by its hash.  The file
 * is a data set itself, of these rows in this order, so that a worker maps no
 * more than it computes on. */
#ifndef POT_NODE_ROUND_ROW_GATHER_H
#define POT_NODE_ROUND_ROW_GATHER_H

#include <stdint.h>
#include <uv.h>

#include "base/err.h"

struct holdings;
struct needs;
struct round_input;
struct row_gather; /* opaque: node/round/row_gather.c */

struct row_gather_config {
    uv_loop_t *loop;
    const struct holdings *holdings; /* with a chunk_cache */
    struct needs *needs;
};

/* row_gather_fn: the gather is over, and freed behind it.  path is the file,
 * the callee's to free and to unlink; NULL unless err is POT_OK, why says
 * more then. */
typedef void row_gather_fn(void *context, enum pot_err err, char *path,
                           const char *why);

/* row_gather_start: of an input with a published set; done is called later.
 * Takes the rows, input->row_count of them, and holds the input.
 *
 * Errors, by done: POT_ENOENT a chunk is not to be had; POT_ELIMIT more than
 * the cache may hold; the disk's */
struct row_gather *row_gather_start(const struct row_gather_config *config,
                                    struct round_input *input, uint64_t *rows,
                                    row_gather_fn *done, void *context);

/* row_gather_forget: done is not called any more; NULL is none. */
void row_gather_forget(struct row_gather *gather);

#endif
