#include "config.h"

#include "ctl/json_text.h"

#include "base/alloc.h"
#include "base/hex.h"
#include "base/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ESCAPED_SIZE 4 /* "\xHH" */

json_t *json_text(const char *text)
{
    char *out = pot_alloc(ESCAPED_SIZE * strlen(text) + 1);
    char *to = out;
    while (*text != '\0') {
        size_t step = utf8_size(text);
        if (step == 0) {
            memcpy(to, "\\x", 2);
            (void)hex_format(to + 2, (const uint8_t *)text, 1);
            to += ESCAPED_SIZE;
            text++;
        } else {
            memcpy(to, text, step);
            to += step;
            text += step;
        }
    }
    json_t *json = json_stringn(out, (size_t)(to - out));
    free(out);
    return json;
}
