/* json_text: a JSON string of text that need not be UTF-8, such as a path. */
#ifndef POT_CTL_JSON_TEXT_H
#define POT_CTL_JSON_TEXT_H

#include <jansson.h>

/* json_text: never NULL.  Bytes that are not UTF-8 stand as "\xHH", four
 * characters each; text that is UTF-8 stays as it is, also where it holds
 * such characters: this is for people, and not to be undone. */
json_t *json_text(const char *text);

#endif
