/* import_complain: says what is wrong with a file, for people. */
#ifndef POT_TRAINING_IMPORT_COMPLAIN_H
#define POT_TRAINING_IMPORT_COMPLAIN_H

#include "base/err.h"
#include "training/import.h"

/* import_complain: writes the text, returns err.  Bytes of the file that are
 * not printable come out as '?'. */
POT_MUST_USE enum pot_err import_complain(char why[static IMPORT_WHY_SIZE],
                                          enum pot_err err, const char *format,
                                          ...)
    __attribute__((format(printf, 3, 4)));

/* import_complain_label: after a label was refused with err. */
POT_MUST_USE enum pot_err import_complain_label(
    char why[static IMPORT_WHY_SIZE], enum pot_err err, const char *place,
    const char *label);

#endif
