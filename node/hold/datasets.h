/* datasets: the book of the data sets that this node holds, by their
 * hashes.  Any thread.
 *
 * The chunks are blobs of the store.  Once all of a data set are there it is
 * put together in a file, home/datasets/<hash>.pds, which workers map and
 * evaluation reads. */
#ifndef POT_NODE_HOLD_DATASETS_H
#define POT_NODE_HOLD_DATASETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "proto/chain.pb-c.h"
#include "proto/dataset.h"

struct datasets_book; /* opaque: node/hold/datasets.c */
struct store;

/* datasets_open: folder is made if it is missing. */
POT_MUST_USE enum pot_err datasets_open(struct datasets_book **out,
                                        const char *folder,
                                        struct store *store);
void datasets_close(struct datasets_book *book);

/* datasets_announce: its chunks may be put from now on.  Only they are taken
 * from the description: its hash vouches for them.  Of too many that wait for
 * their chunks the oldest is forgotten, first of those that are not needed: by
 * a block, the state, or a transaction.
 *
 * Errors: POT_EFORMAT the chunks' hashes do not give its own, or are not as
 *                     many as its size asks for; POT_ELIMIT all that wait are
 *                     being worked on */
POT_MUST_USE enum pot_err datasets_announce(
    struct datasets_book *book, const Pot__PublishDataset *description,
    bool is_needed);

/* datasets_next_missing: the first chunk at or behind *cursor that is not
 * held; *cursor moves behind it.  False when there is none. */
bool datasets_next_missing(struct datasets_book *book,
                           const struct hash *dataset, size_t *cursor,
                           uint32_t *index, struct hash *hash);

/* datasets_put_chunk: Errors: POT_ENOENT not announced; POT_ERANGE no such
 * chunk; POT_EFORMAT another hash or size; and the store's. */
POT_MUST_USE enum pot_err datasets_put_chunk(struct datasets_book *book,
                                             const struct hash *dataset,
                                             uint32_t index, const void *data,
                                             size_t size);

/* datasets_get_chunk: into out, which is cleared.  Errors: POT_ENOENT never
 * announced, or the chunk is not held; POT_ERANGE; and the store's. */
POT_MUST_USE enum pot_err datasets_get_chunk(struct datasets_book *book,
                                             const struct hash *dataset,
                                             uint32_t index, struct buf *out);

/* datasets_load: makes it ready for datasets_find; all its chunks are held.
 * Reads and writes a lot: off the loop.
 *
 * Errors: POT_ENOENT not announced, or chunks are missing; POT_EFORMAT the
 *         bytes are no data set */
POT_MUST_USE enum pot_err datasets_load(struct datasets_book *book,
                                        const struct hash *dataset);

/* datasets_find: NULL when it is not loaded; stays until datasets_close.
 * Any thread. */
const struct dataset *datasets_find(struct datasets_book *book,
                                    const struct hash *dataset);

/* datasets_check: whether a loaded data set is what a description says of it.
 *
 * Errors: POT_ENOENT it is not loaded; POT_EFORMAT it is another one */
POT_MUST_USE enum pot_err datasets_check(
    struct datasets_book *book, const Pot__PublishDataset *description);

/* datasets_path: of the loaded file; the result is the book's. */
const char *datasets_path(struct datasets_book *book,
                          const struct hash *dataset);

#endif
