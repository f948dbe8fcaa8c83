/* alloc: memory that is always there; running out of it aborts. */
#ifndef POT_BASE_ALLOC_H
#define POT_BASE_ALLOC_H

#include <stddef.h>

/* pot_alloc: size bytes, uninitialised; free() releases them. */
void *pot_alloc(size_t size)
    __attribute__((malloc, returns_nonnull, alloc_size(1)));

/* pot_calloc: count * size zero bytes; aborts when the product overflows. */
void *pot_calloc(size_t count, size_t size)
    __attribute__((malloc, returns_nonnull, alloc_size(1, 2)));

/* pot_alloc_aligned: the same, at a multiple of alignment, a power of two that
 * divides size. */
void *pot_alloc_aligned(size_t alignment, size_t size)
    __attribute__((malloc, returns_nonnull, alloc_size(2), alloc_align(1)));

/* pot_realloc: grows or shrinks old (NULL: allocates) to count * size. */
void *pot_realloc(void *old, size_t count, size_t size)
    __attribute__((returns_nonnull, alloc_size(2, 3)));

/* pot_strdup, pot_memdup: copies that free() releases. */
char *pot_strdup(const char *text) __attribute__((malloc, returns_nonnull));
void *pot_memdup(const void *data, size_t size)
    __attribute__((malloc, returns_nonnull));

#endif
