#include "config.h"

#include "training/import_complain.h"

#include "base/limits.h"

#include <stdarg.h>
#include <stdio.h>

enum pot_err import_complain(char why[static IMPORT_WHY_SIZE], enum pot_err err,
                             const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(why, IMPORT_WHY_SIZE, format, args);
    va_end(args);
    for (char *c = why; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f) {
            *c = '?';
        }
    }
    return err;
}

enum pot_err import_complain_label(char why[static IMPORT_WHY_SIZE],
                                   enum pot_err err, const char *place,
                                   const char *label)
{
    if (err == POT_ENOENT) {
        return import_complain(why, POT_EFORMAT,
                               "%s: the training set has no class \"%s\"",
                               place, label);
    }
    if (err == POT_ELIMIT) {
        return import_complain(
            why, err,
            "%s: more than %d classes; are the labels numbers to be "
            "predicted (regression)?",
            place, DATASET_CLASSES_MAX);
    }
    if (err == POT_EFORMAT) {
        return import_complain(why, err,
                               "%s: not UTF-8; convert it first, such as with "
                               "iconv -f latin1 -t utf8",
                               place);
    }
    return import_complain(why, POT_EFORMAT,
                           "%s: a label must have 1 to 255 bytes", place);
}
