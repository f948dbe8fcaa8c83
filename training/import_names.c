#include "config.h"

#include "training/import.h"

#include "base/utf8.h"
#include "training/import_complain.h"
#include "training/label_table.h"

#include <inttypes.h>
#include <string.h>

enum pot_err import_check_names(const struct dataset *d, const char *file,
                                char why[static IMPORT_WHY_SIZE])
{
    struct label_table table;
    enum pot_err err = POT_OK;
    label_table_init(&table);
    for (uint32_t i = 0; err == POT_OK && i < d->classes; i++) {
        char name[LABEL_NAME_MAX + 1];
        uint32_t index;
        dataset_class_name(name, d, i);
        if (label_table_add(&index, &table, name, strlen(name)) != POT_OK) {
            err = import_complain(why, POT_EFORMAT,
                                  "%s: class %" PRIu32 " has no name", file, i);
        } else if (index != i) {
            err = import_complain(why, POT_EFORMAT,
                                  "%s: classes %" PRIu32 " and %" PRIu32
                                  " are both called \"%s\": import the files"
                                  " that it was made of again",
                                  file, index, i, name);
        } else if (!utf8_is_text(name)) {
            err = import_complain(
                why, POT_EFORMAT,
                "%s: the name of class %" PRIu32 " is not UTF-8", file, i);
        }
    }
    label_table_fini(&table);
    return err;
}
