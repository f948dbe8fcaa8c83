/* store_copy: a store copied as a whole, also while a node uses it. */
#ifndef POT_STORAGE_STORE_COPY_H
#define POT_STORAGE_STORE_COPY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct store_copied {
    uint64_t height; /* of its tip */
    uint64_t bytes;  /* of its file */
};

/* store_copy: the store in folder `from` as of now, without its free pages,
 * in the new folder `to`; it is synced, and checked as store_open and
 * store_verify do.  The node that has it open goes on meanwhile; its file grows
 * by what it writes.
 *
 * Out:    why: one line for a person when it fails; `to` is gone then
 * Errors: POT_EFULL there is not as much room as from's file takes;
 *         POT_EEXIST to is there already; POT_ECORRUPT from is damaged; those
 *         of store_open */
POT_MUST_USE enum pot_err store_copy(struct store_copied *out, const char *from,
                                     const char *to, char *why,
                                     size_t why_size);

/* store_lock: as store_open locks it, without opening it: no node runs on it
 * and none can start until *fd is closed.  Errors: POT_EBUSY, why names the
 * process; POT_ENOENT, POT_EIO */
POT_MUST_USE enum pot_err store_lock(int *fd, const char *folder, char *why,
                                     size_t why_size);

#endif
