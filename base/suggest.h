/* suggest: the known word nearest to a mistyped one. */
#ifndef POT_BASE_SUGGEST_H
#define POT_BASE_SUGGEST_H

#include <stddef.h>

#define SUGGEST_TEXT_SIZE 128

/* suggest_nearest: the word of words that needs the fewest changes to become
 * text (a letter more, less, another, or two swapped); NULL if none is near.
 * Words of more than 63 bytes are never near.  Outside this module tests ask
 * it. */
const char *suggest_nearest(const char *text, const char *const *words,
                            size_t count);

/* suggest_text: "; did you mean \"...\"?" or "" into out; returns out.  The
 * word is shown behind prefix. */
const char *suggest_text(char out[static SUGGEST_TEXT_SIZE], const char *prefix,
                         const char *text, const char *const *words,
                         size_t count);

#endif
