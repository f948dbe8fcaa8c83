/* store_table: the records of the tables, each with its checksum, and the
 * totals that let a table be checked as a whole: the number of records and
 * the sum of a hash over every (key, checksum).  A record lost, added, or put
 * back to an older one shows as a difference when the store is opened. */
#ifndef POT_STORAGE_STORE_TABLE_H
#define POT_STORAGE_STORE_TABLE_H

#include <lmdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "storage/store_env.h"

#define STORE_SUM_SIZE      16 /* the checksum in front of every value */
#define STORE_TABLE_KEY_MAX 255

const char *store_table_name(enum store_table table);

/* store_err: LMDB's and the system's codes as ours. */
enum pot_err store_err(int rc);

bool store_total_equal(const struct store_total *a,
                       const struct store_total *b);

/* store_total_hash: a record's part in its table's sum. */
uint64_t store_total_hash(enum store_table table, const void *key,
                          size_t key_size,
                          const uint8_t sum[static STORE_SUM_SIZE]);

/* ---- reading */

/* A value in place: valid while its snapshot is. */
struct store_value {
    const uint8_t *data;
    size_t size;
};

/* store_table_get: the checked value under key.
 * Errors: POT_ENOENT, POT_ECORRUPT, POT_EIO */
POT_MUST_USE enum pot_err store_table_get(struct store_value *out,
                                          const struct store_read *read,
                                          enum store_table table,
                                          const void *key, size_t key_size);

/* store_table_open_value: strips and checks the checksum of a raw record. */
POT_MUST_USE enum pot_err store_table_open_value(struct store_value *out,
                                                 enum store_table table,
                                                 const MDB_val *key,
                                                 const MDB_val *raw);

/* store_table_each: visits the raw records of a table that LMDB has, in the
 * order of their keys, until visit fails; nothing is written meanwhile.
 * Errors: visit's, POT_ECORRUPT, POT_EIO */
POT_MUST_USE enum pot_err store_table_each(
    const struct store_read *read, enum store_table table,
    enum pot_err (*visit)(void *context, const MDB_val *key,
                          const MDB_val *raw),
    void *context);

/* store_read_totals: of every table.  Errors: POT_ECORRUPT, POT_EIO */
POT_MUST_USE enum pot_err store_read_totals(
    struct store_total out[static STORE_TABLES], const struct store_read *read);

/* store_read_tip: the tip as this snapshot has it. */
POT_MUST_USE enum pot_err store_read_tip(struct store_tip *out,
                                         const struct store_read *read);

/* ---- writing */

/* store_table_put: inserts or replaces.  store_table_del: fine when there is
 * no such record. */
POT_MUST_USE enum pot_err store_table_put(struct store_write *write,
                                          enum store_table table,
                                          const void *key, size_t key_size,
                                          const void *value, size_t value_size);
POT_MUST_USE enum pot_err store_table_del(struct store_write *write,
                                          enum store_table table,
                                          const void *key, size_t key_size);

#endif
