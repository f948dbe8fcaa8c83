/* label_table: the classes of a data set, by name. */
#ifndef POT_TRAINING_LABEL_TABLE_H
#define POT_TRAINING_LABEL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/key_table.h"

#define LABEL_NAME_MAX 255

struct label_table {
    char **names;              /* in the order they came in */
    uint32_t count;            /* <= DATASET_CLASSES_MAX */
    struct key_table index_of; /* a name: its uint32_t index */
};

void label_table_init(struct label_table *t);
void label_table_fini(struct label_table *t);

/* label_table_find: false if the name is not there. */
bool label_table_find(uint32_t *index, const struct label_table *t,
                      const char *name, size_t size);

/* label_table_add: the index of a name, old or new.  Errors: POT_ELIMIT too
 * many; POT_ERANGE the name is empty, too long or has a NUL in it. */
POT_MUST_USE enum pot_err label_table_add(uint32_t *index,
                                          struct label_table *t,
                                          const char *name, size_t size);

/* label_table_sort: by value if all names are integers, else by bytes.
 * new_of[old index] is the new index; the table is good for its names only
 * from then on. */
void label_table_sort(uint32_t *new_of, struct label_table *t);

#endif
