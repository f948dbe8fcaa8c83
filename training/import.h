/* import: data sets from CSV, IDX, NumPy .npy and .pds files, as the bytes of
 * a .pds file (proto/dataset.h).  Any of them may be compressed with gzip.
 *
 * Features are divided by the scale, so that models see small numbers: the
 * largest absolute value of the training set if that is above 1, else 1; 255
 * for bytes of an IDX file.  A test set is imported with the classes and the
 * scale of its training set. */
#ifndef POT_TRAINING_IMPORT_H
#define POT_TRAINING_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "proto/dataset.h"

/* No file, compressed or not, may hold more. */
#define IMPORT_BYTES_MAX (UINT64_C(4) << 30)
#define IMPORT_WHY_SIZE  512

struct import_options {
    const char *data;   /* path */
    const char *labels; /* path of the IDX or .npy labels; NULL for CSV */
    const char *label;  /* CSV: "first", "last", an index from 0 or a column's
                           name; NULL: "last" */
    bool is_regression; /* labels are numbers, not classes */
    double scale;       /* 0: by the rule above; for a test set, what its
                           training set's import_info says */
    const struct dataset *like; /* a test set's training set, as imported;
                                   else NULL */
};

struct import_info {
    double scale;       /* hand it on to the test set's import */
    const char *format; /* "CSV", "IDX", "npy", "pds"; static */
};

/* import_file: reads, checks and converts.
 *
 * Out:    out, an empty buffer made by the call; info
 * Owns:   the caller frees out with buf_fini, on failure too
 * Errors: why names the file, the row and the column where there is one.
 *         POT_EFORMAT content; POT_ELIMIT size; POT_ESHAPE the counts of
 *         data and labels or of features and like differ; POT_ERANGE a
 *         value no .pds can hold; those of reading a file */
POT_MUST_USE enum pot_err import_file(struct buf *out, struct import_info *info,
                                      const struct import_options *options,
                                      char why[static IMPORT_WHY_SIZE]);

/* import_check_names: every class of d, which came from file, has a name of
 * its own in UTF-8.  Errors: POT_EFORMAT, why says which has not */
POT_MUST_USE enum pot_err import_check_names(const struct dataset *d,
                                             const char *file,
                                             char why[static IMPORT_WHY_SIZE]);

/* import_split: takes a part of whole's rows as a test set, the same rows
 * for the same seed everywhere; rows keep their order within both.
 *
 * In:     0 < test_fraction < 1
 * Out:    train, test as import_file's out
 * Errors: POT_ERANGE one of the two would be empty */
POT_MUST_USE enum pot_err import_split(struct buf *train, struct buf *test,
                                       const struct dataset *whole,
                                       double test_fraction, uint64_t seed,
                                       char why[static IMPORT_WHY_SIZE]);

#endif
