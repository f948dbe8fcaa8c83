/* bech32: bech32m text (BIP 350) of 32-byte values, checksummed so that a
 * typo is caught. */
#ifndef POT_BASE_BECH32_H
#define POT_BASE_BECH32_H

#include <stdint.h>

#include "base/err.h"

#define BECH32_PREFIX_MAX 8
/* prefix, "1", 52 data characters, 6 of checksum, NUL */
#define BECH32_TEXT_SIZE (BECH32_PREFIX_MAX + 1 + 52 + 6 + 1)

/* bech32_format: prefix is lower case, at most BECH32_PREFIX_MAX long. */
void bech32_format(char text[static BECH32_TEXT_SIZE], const char *prefix,
                   const uint8_t data[static 32]);

/* bech32_parse: lower or upper case throughout, as the standard says.
 * Errors: POT_EFORMAT wrong prefix, length, character or checksum; data is
 * then untouched. */
POT_MUST_USE enum pot_err bech32_parse(uint8_t data[static 32],
                                       const char *prefix, const char *text);

#endif
