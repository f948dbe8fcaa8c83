/* store_open: the files of a store, opened and checked; storage/ only. */
#ifndef POT_STORAGE_STORE_OPEN_H
#define POT_STORAGE_STORE_OPEN_H

#include "storage/store_env.h"

/* store_open_file: locks, checks and maps the files in store->folder.
 *
 * Out:    why: one line for a person when it fails
 * Owns:   store_close_file releases what was opened, after a failure too
 * Errors: as store_open */
POT_MUST_USE enum pot_err store_open_file(struct store *store, size_t map_bytes,
                                          char *why, size_t why_size);
void store_close_file(struct store *store);

/* store_lock_folder: *fd holds the lock; it may be open after a failure too.
 * Errors: POT_EBUSY, POT_EACCESS, POT_EFULL, POT_EIO */
POT_MUST_USE enum pot_err store_lock_folder(int *fd, const char *folder,
                                            char *why, size_t why_size);

/* store_reopen_file: the same for a store that is open and locked, whose
 * writer the caller holds.  Reads fail with POT_EIO if its file cannot be
 * mapped again. */
POT_MUST_USE enum pot_err store_reopen_file(struct store *store, char *why,
                                            size_t why_size);

#endif
