#include "config.h"

#include "training/label_table.h"

#include "base/alloc.h"
#include "base/limits.h"

#include <stdlib.h>
#include <string.h>

/* Longer integers are told apart by their bytes. */
#define INTEGER_DIGITS_MAX 18

void label_table_init(struct label_table *t)
{
    *t = (struct label_table){
        .names = pot_calloc(DATASET_CLASSES_MAX, sizeof(*t->names)),
    };
    key_table_init(&t->index_of, sizeof(uint32_t), NULL);
}

void label_table_fini(struct label_table *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        free(t->names[i]);
    }
    free(t->names);
    key_table_fini(&t->index_of);
    *t = (struct label_table){0};
}

bool label_table_find(uint32_t *index, const struct label_table *t,
                      const char *name, size_t size)
{
    const uint32_t *found = key_table_find(&t->index_of, name, size);
    *index = found != NULL ? *found : 0;
    return found != NULL;
}

enum pot_err label_table_add(uint32_t *index, struct label_table *t,
                             const char *name, size_t size)
{
    if (size == 0 || size > LABEL_NAME_MAX || memchr(name, '\0', size)) {
        return POT_ERANGE;
    }
    if (label_table_find(index, t, name, size)) {
        return POT_OK;
    }
    if (t->count == DATASET_CLASSES_MAX) {
        return POT_ELIMIT;
    }
    char *copy = pot_alloc(size + 1);
    memcpy(copy, name, size);
    copy[size] = '\0';
    uint32_t *fresh = key_table_add(&t->index_of, name, size);
    *fresh = *index = t->count;
    t->names[t->count++] = copy;
    return POT_OK;
}

static bool is_integer(const char *name)
{
    const char *digits = name[0] == '-' ? name + 1 : name;
    size_t count = strspn(digits, "0123456789");
    return count > 0 && count <= INTEGER_DIGITS_MAX && digits[count] == '\0';
}

struct named {
    const char *name;
    uint32_t index;
};

static int compare_bytes(const void *a, const void *b)
{
    const struct named *x = a;
    const struct named *y = b;
    return strcmp(x->name, y->name);
}

static int compare_integers(const void *a, const void *b)
{
    const struct named *x = a;
    const struct named *y = b;
    long long i = strtoll(x->name, NULL, 10);
    long long j = strtoll(y->name, NULL, 10);
    /* "1" and "01" are two names. */
    return i == j ? strcmp(x->name, y->name) : (i > j) - (i < j);
}

void label_table_sort(uint32_t *new_of, struct label_table *t)
{
    bool are_integers = true;
    struct named *order = pot_calloc(t->count + 1U, sizeof(*order));
    char **names = pot_calloc(DATASET_CLASSES_MAX, sizeof(*names));
    for (uint32_t i = 0; i < t->count; i++) {
        order[i] = (struct named){t->names[i], i};
        are_integers = are_integers && is_integer(t->names[i]);
    }
    qsort(order, t->count, sizeof(*order),
          are_integers ? compare_integers : compare_bytes);
    for (uint32_t i = 0; i < t->count; i++) {
        new_of[order[i].index] = i;
        names[i] = t->names[order[i].index];
    }
    free(t->names);
    t->names = names;
    free(order);
}
