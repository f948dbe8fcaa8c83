/* Any text through the CSV reader; what passes must encode to a data set. */
#include "config.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/check.h"
#include "training/import_csv.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte chooses the options. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const labels[] = {NULL, "first", "1", "kind"};
    char why[IMPORT_WHY_SIZE];
    struct import_table t = {0};
    if (size == 0 || size > (1 << 20)) {
        return 0;
    }
    struct import_options options = {.data = "fuzz.csv",
                                     .label = labels[data[0] & 3],
                                     .is_regression = (data[0] & 4) != 0};
    char *text = pot_alloc(size);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    if (import_csv(&t, text, size - 1, &options, why) == POT_OK) {
        struct buf out;
        struct dataset d;
        size_t bad;
        buf_init(&out, (size_t)64 << 20);
        bool is_single = !t.is_regression && t.table.count < 2;
        if (import_table_encode(&out, &bad, &t, 255.0) == POT_OK &&
            !is_single) {
            enum pot_err err = dataset_view(&d, out.data, out.size);
            POT_ASSERT(err == POT_OK);
        }
        buf_fini(&out);
    }
    import_table_fini(&t);
    free(text);
    return 0;
}
