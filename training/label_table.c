#include "config.h"

#include "training/label_table.h"

#include "base/alloc.h"
#include "base/limits.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS 16384 /* a power of two */
/* Longer integers are told apart by their bytes. */
#define INTEGER_DIGITS_MAX 18

_Static_assert(SLOTS >= 2 * DATASET_CLASSES_MAX, "half of it stays empty");

void label_table_init(struct label_table *t)
{
    *t = (struct label_table){
        .names = pot_calloc(DATASET_CLASSES_MAX, sizeof(*t->names)),
        .slots = pot_calloc(SLOTS, sizeof(*t->slots)),
    };
}

void label_table_fini(struct label_table *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        free(t->names[i]);
    }
    free(t->names);
    free(t->slots);
    *t = (struct label_table){0};
}

/* FNV-1a. */
static size_t slot_of(const char *name, size_t size)
{
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < size; i++) {
        sum = (sum ^ (unsigned char)name[i]) * UINT64_C(0x100000001b3);
    }
    return (size_t)(sum ^ sum >> 32) % SLOTS;
}

static bool is_name(const char *name, const char *text, size_t size)
{
    return strlen(name) == size && memcmp(name, text, size) == 0;
}

/* The slot that holds the name, or the empty one where it belongs. */
static uint32_t *find_slot(const struct label_table *t, const char *name,
                           size_t size)
{
    size_t at = slot_of(name, size);
    while (t->slots[at] != 0 &&
           !is_name(t->names[t->slots[at] - 1], name, size)) {
        at = (at + 1) % SLOTS;
    }
    return t->slots + at;
}

bool label_table_find(uint32_t *index, const struct label_table *t,
                      const char *name, size_t size)
{
    const uint32_t *slot = find_slot(t, name, size);
    *index = *slot == 0 ? 0 : *slot - 1;
    return *slot != 0;
}

enum pot_err label_table_add(uint32_t *index, struct label_table *t,
                             const char *name, size_t size)
{
    if (size == 0 || size > LABEL_NAME_MAX || memchr(name, '\0', size)) {
        return POT_ERANGE;
    }
    uint32_t *slot = find_slot(t, name, size);
    if (*slot == 0) {
        if (t->count == DATASET_CLASSES_MAX) {
            return POT_ELIMIT;
        }
        char *copy = pot_alloc(size + 1);
        memcpy(copy, name, size);
        copy[size] = '\0';
        t->names[t->count++] = copy;
        *slot = t->count;
    }
    *index = *slot - 1;
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
