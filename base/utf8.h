/* utf8: the characters of text that may be none. */
#ifndef POT_BASE_UTF8_H
#define POT_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* utf8_size: bytes of the character at text, 1 to 4; 0 if it is malformed,
 * overlong, a surrogate or beyond the last plane.  Not at the NUL at the end,
 * which no character reaches across. */
size_t utf8_size(const char *text);

/* utf8_is_text: all of text, up to its NUL, is characters. */
bool utf8_is_text(const char *text);

#endif
