/* store_pages: checks an LMDB file page by page before LMDB maps it.
 *
 * LMDB trusts its pages: a damaged one makes it abort, fault, or pass over
 * records in silence.  Nothing here trusts them.  What passes is a forest of
 * B-trees of the right shape and order in which no page has two uses, so
 * that LMDB walks it safely and finds every key that is in it.  Values
 * themselves are not looked at beyond their first bytes. */
#ifndef POT_STORAGE_STORE_PAGES_H
#define POT_STORAGE_STORE_PAGES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define STORE_PAGES_HEAD 16

/* A record as met in the file, borrowed for the call. */
struct store_pages_record {
    const char *table; /* not NUL-terminated */
    size_t table_size;
    const uint8_t *key;
    size_t key_size;
    uint8_t head[STORE_PAGES_HEAD]; /* of the value; zeros if it is shorter */
};

struct store_pages_options {
    void (*on_record)(void *context, const struct store_pages_record *);
    void *context;
};

/* store_pages_check: the file under fd.
 *
 * Out:    *transaction: number of the last one in the file; 0 for an empty
 *         file.  why: what is wrong, for a person
 * Errors: POT_ECORRUPT, POT_EFORMAT not a file of this kind of LMDB, POT_EIO
 */
POT_MUST_USE enum pot_err store_pages_check(
    int fd, const struct store_pages_options *options, uint64_t *transaction,
    char *why, size_t why_size);

#endif
