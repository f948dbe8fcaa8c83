#include "config.h"

#include "base/utf8.h"

#include <stdint.h>

/* Continuation bytes that a lead byte asks for; -1: not a lead byte. */
static int continuation_count(uint8_t lead)
{
    if (lead < 0x80) {
        return 0;
    }
    if (lead >= 0xc2 && lead < 0xe0) {
        return 1;
    }
    if (lead >= 0xe0 && lead < 0xf0) {
        return 2;
    }
    return lead >= 0xf0 && lead < 0xf5 ? 3 : -1;
}

size_t utf8_size(const char *text)
{
    const uint8_t *at = (const uint8_t *)text;
    int more = continuation_count(at[0]);
    if (more < 0) {
        return 0;
    }
    for (int i = 1; i <= more; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool is_bad =
        (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] >= 0xa0) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] >= 0x90);
    return is_bad ? 0 : (size_t)more + 1;
}

bool utf8_is_text(const char *text)
{
    while (*text != '\0') {
        size_t step = utf8_size(text);
        if (step == 0) {
            return false;
        }
        text += step;
    }
    return true;
}
