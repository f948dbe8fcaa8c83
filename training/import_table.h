/* import_table: the rows of a file on their way into a .pds: features as
 * bytes while all of them are whole numbers from 0 to 255, else as floats;
 * labels as classes or as numbers. */
#ifndef POT_TRAINING_IMPORT_TABLE_H
#define POT_TRAINING_IMPORT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "proto/dataset.h"
#include "training/label_table.h"

struct import_table {
    uint32_t features;
    size_t value_count; /* features put in so far */
    size_t value_max;
    uint8_t *bytes; /* one of the two is NULL */
    float *values;
    bool is_regression;
    bool has_fixed_classes; /* they are a training set's */
    size_t label_count;
    size_t label_max;
    uint32_t *classes; /* when not is_regression: into table */
    int32_t *targets;  /* when is_regression: Q8.24 */
    struct label_table table;
};

/* import_table_init: for at most rows_max rows, with the classes or the kind
 * of label of `like`, if there is one, whose classes have names of their own
 * (import_check_names).  rows_max * features has been checked
 * against the size of the file. */
void import_table_init(struct import_table *t, uint32_t features,
                       size_t rows_max, bool is_regression,
                       const struct dataset *like);
void import_table_fini(struct import_table *t);

/* import_table_add_value: the next feature, row by row; finite.
 * Errors: POT_ERANGE too large for a float. */
POT_MUST_USE enum pot_err import_table_add_value(struct import_table *t,
                                                 double value);

/* import_table_add_class, _add_target: the next label.  Errors: POT_ENOENT
 * not a class of the training set; POT_ELIMIT, POT_ERANGE: as
 * label_table_add; POT_EFORMAT a name that is not UTF-8; a number beyond
 * Q8.24. */
POT_MUST_USE enum pot_err import_table_add_class(struct import_table *t,
                                                 const char *name, size_t size);
POT_MUST_USE enum pot_err import_table_add_target(struct import_table *t,
                                                  double value);

/* import_table_peak: the largest absolute value of the features. */
double import_table_peak(const struct import_table *t);

/* import_table_encode: the .pds bytes, appended to out; features are divided
 * by scale > 0.  Errors: POT_ERANGE a feature is beyond Q8.24 then, *bad is
 * its place; POT_ELIMIT out is full. */
POT_MUST_USE enum pot_err import_table_encode(struct buf *out, size_t *bad,
                                              struct import_table *t,
                                              double scale);

#endif
