#include "config.h"

#include "base/alloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void out_of_memory(size_t size)
{
    fprintf(stderr, "out of memory: %zu bytes\n", size);
    abort();
}

void *pot_alloc(size_t size)
{
    void *p = malloc(size > 0 ? size : 1);
    if (p == NULL) {
        out_of_memory(size);
    }
    return p;
}

void *pot_calloc(size_t count, size_t size)
{
    void *p = calloc(count > 0 ? count : 1, size > 0 ? size : 1);
    if (p == NULL) {
        out_of_memory(count);
    }
    return p;
}

void *pot_alloc_aligned(size_t alignment, size_t size)
{
    void *p = aligned_alloc(alignment, size);
    if (p == NULL) {
        out_of_memory(size);
    }
    return p;
}

void *pot_realloc(void *old, size_t count, size_t size)
{
    if (size > 0 && count > SIZE_MAX / size) {
        out_of_memory(SIZE_MAX);
    }
    size_t total = count * size;
    void *p = realloc(old, total > 0 ? total : 1);
    if (p == NULL) {
        out_of_memory(total);
    }
    return p;
}

char *pot_strdup(const char *text)
{
    return pot_memdup(text, strlen(text) + 1);
}

void *pot_memdup(const void *data, size_t size)
{
    void *copy = pot_alloc(size);
    if (size > 0) {
        memcpy(copy, data, size);
    }
    return copy;
}
