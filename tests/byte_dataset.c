#include "config.h"

#include "tests/byte_dataset.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/file.h"
#include "proto/dataset.h"
#include "tests/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *make_header(size_t *size, uint64_t rows, uint32_t features,
                            uint32_t classes)
{
    char(*texts)[16] = pot_calloc(classes, sizeof(*texts));
    const char **names = pot_calloc(classes, sizeof(*names));
    for (uint32_t i = 0; i < classes; i++) {
        (void)snprintf(texts[i], sizeof(texts[i]), "%u", i);
        names[i] = texts[i];
    }
    uint8_t *header =
        dataset_header(size, rows, features, classes, DATASET_U8, 255, names);
    free(names);
    free(texts);
    return header;
}

void byte_dataset_write(char *path, const char *folder, uint64_t rows,
                        uint32_t features, uint32_t classes)
{
    size_t header_size;
    uint64_t random = 1;
    uint8_t *header = make_header(&header_size, rows, features, classes);
    size_t size = header_size + (size_t)rows * (features + 2U);
    uint8_t *file = pot_calloc(1, size);
    uint8_t *at = file + header_size;
    memcpy(file, header, header_size);
    for (uint64_t i = 0; i < rows * features; i++) {
        *at++ = (uint8_t)rng_next(&random);
    }
    for (uint64_t i = 0; i < rows; i++) {
        *at++ = (uint8_t)(i % classes);
        *at++ = (uint8_t)(i % classes >> 8);
    }
    (void)snprintf(path, BYTE_DATASET_PATH_SIZE, "%s/rows.pds", folder);
    enum pot_err err = file_create(path, 0600, file, size);
    POT_ASSERT(err == POT_OK);
    free(header);
    free(file);
}
