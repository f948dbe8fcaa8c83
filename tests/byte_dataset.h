/* byte_dataset: data sets of random bytes, for what computes on rows. */
#ifndef POT_TESTS_BYTE_DATASET_H
#define POT_TESTS_BYTE_DATASET_H

#include <stdint.h>

#define BYTE_DATASET_PATH_SIZE 4096

/* byte_dataset_write: a .pds file in folder, of rows with byte features in
 * [0, 1]; the i-th row is of class i mod classes.
 *
 * Out: path (BYTE_DATASET_PATH_SIZE bytes) of it */
void byte_dataset_write(char *path, const char *folder, uint64_t rows,
                        uint32_t features, uint32_t classes);

#endif
