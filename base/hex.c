#include "config.h"

#include "base/hex.h"

#include <string.h>

static const char digits[] = "0123456789abcdef";

const char *hex_format(char *text, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[data[i] >> 4];
        text[2 * i + 1] = digits[data[i] & 15];
    }
    text[2 * size] = '\0';
    return text;
}

static int digit_value(char c)
{
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

enum pot_err hex_parse(uint8_t *out, size_t size, const char *text)
{
    if (strlen(text) != 2 * size) {
        return POT_EFORMAT;
    }
    for (size_t i = 0; i < 2 * size; i++) {
        if (digit_value(text[i]) < 0) {
            return POT_EFORMAT;
        }
    }
    for (size_t i = 0; i < size; i++) {
        out[i] = (uint8_t)(digit_value(text[2 * i]) * 16 +
                           digit_value(text[2 * i + 1]));
    }
    return POT_OK;
}
