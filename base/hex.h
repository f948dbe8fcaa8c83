/* hex: bytes as lower-case hexadecimal text. */
#ifndef POT_BASE_HEX_H
#define POT_BASE_HEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* hex_format: writes 2 * size digits and a NUL to text; returns text. */
const char *hex_format(char *text, const uint8_t *data, size_t size);

/* hex_parse: exactly 2 * size lower-case digits and a NUL.
 * Errors: POT_EFORMAT, out untouched. */
POT_MUST_USE enum pot_err hex_parse(uint8_t *out, size_t size,
                                    const char *text);

#endif
