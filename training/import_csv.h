/* import_csv: comma-separated text, as RFC 4180 has it; semicolons and tabs
 * too, told from the first line.  Blank lines are skipped.  The first line is
 * a header when the label's column is named, or a feature in it is no
 * number, or its label is no number while the second line's is one. */
#ifndef POT_TRAINING_IMPORT_CSV_H
#define POT_TRAINING_IMPORT_CSV_H

#include "training/import.h"
#include "training/import_table.h"

/* import_csv: reads text, which it overwrites and behind which a NUL stands,
 * into an empty t; import_table_fini(t) in any case.
 * Errors: as import_file; why names options->data, the line and column. */
POT_MUST_USE enum pot_err import_csv(struct import_table *t, char *text,
                                     size_t size,
                                     const struct import_options *options,
                                     char why[static IMPORT_WHY_SIZE]);

#endif
