/* store_make: the file of a new store; storage/ only. */
#ifndef POT_STORAGE_STORE_MAKE_H
#define POT_STORAGE_STORE_MAKE_H

#include "base/err.h"

/* store_make_file: an empty store of our format as folder/data.mdb, synced with
 * its folder: whole, or none.  What an attempt that was cut short has left
 * goes.
 *
 * Errors: POT_EFULL, POT_EACCESS, POT_EIO */
POT_MUST_USE enum pot_err store_make_file(const char *folder);

#endif
