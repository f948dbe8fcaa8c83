/* Any bytes as a .pds file: every row of a data set that opens can be read,
 * and its header is encoded again to the same bytes. */
#include "config.h"

#include "base/alloc.h"
#include "base/check.h"
#include "proto/dataset.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_header(const struct dataset *d, const uint8_t *data)
{
    char(*texts)[256] = pot_calloc(d->classes + 1U, sizeof(*texts));
    const char **names = pot_calloc(d->classes + 1U, sizeof(*names));
    bool has_nul = false;
    size_t size;
    const uint8_t *at = d->names;
    for (uint32_t i = 0; i < d->classes; i++) {
        dataset_class_name(texts[i], d, i);
        names[i] = texts[i];
        has_nul = has_nul || memchr(at + 1, '\0', at[0]) != NULL;
        at += 1 + at[0];
    }
    uint8_t *header = dataset_header(&size, d->rows, d->features, d->classes,
                                     d->type, d->divisor, names);
    POT_ASSERT(has_nul || memcmp(header, data, size) == 0);
    free(header);
    free(names);
    free(texts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dataset d;
    struct dataset head;
    struct dataset_layout layout;
    bool has_head = dataset_view_head(&head, data, size) == POT_OK;
    bool has_layout = size >= DATASET_HEAD_BYTES &&
                      dataset_layout_read(&layout, data, size) == POT_OK;
    if (dataset_view(&d, data, size) != POT_OK) {
        return 0;
    }
    POT_ASSERT(has_layout && layout.rows == d.rows &&
               data + layout.header_size == d.feature_data &&
               d.feature_data + d.rows * layout.feature_bytes == d.label_data &&
               d.label_data + d.rows * layout.label_bytes == data + size);
    POT_ASSERT(has_head && head.names == d.names && head.classes == d.classes &&
               head.divisor == d.divisor);
    check_header(&d, data);
    int32_t *row = pot_calloc(d.features, sizeof(*row));
    volatile uint32_t sum = 0;
    for (uint64_t i = 0; i < d.rows; i++) {
        dataset_row(row, &d, i);
        sum = sum + (uint32_t)row[d.features - 1];
        sum = sum + (d.classes > 0 ? dataset_class(&d, i)
                                   : (uint32_t)dataset_target(&d, i));
    }
    free(row);
    return 0;
}
