/* clones: loops compiled for several instruction sets, the machine's being
 * chosen when the program starts; for loops whose results do not depend on
 * it. */
#ifndef POT_BASE_CLONES_H
#define POT_BASE_CLONES_H

/* CLONES: before a function; CLONES_FUSED: likewise, with fused multiply-adds.
 * clang 14 names the clones of other files wrongly, and ThreadSanitizer is not
 * there yet when the choice is made. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&         \
    !defined(__SANITIZE_THREAD__)
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#define CLONES_FUSED                                                           \
    __attribute__((target_clones("avx512f", "arch=haswell", "default")))
#else
#define CLONES
#define CLONES_FUSED
#endif

#endif
