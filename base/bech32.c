/* A text is prefix, '1', data in groups of five bits, six checksum characters.
 * The checksum is a BCH code over the prefix's high bits, a zero, its low bits
 * and the data; bech32m differs from bech32 in its final constant. */
#include "config.h"

#include "base/bech32.h"

#include "base/check.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define GROUPS       52 /* 32 bytes in groups of five bits */
#define CHECK_GROUPS 6
#define BECH32M      0x2bc830a3u

static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static uint32_t polymod_step(uint32_t sum, uint8_t value)
{
    static const uint32_t generator[5] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa,
                                          0x3d4233dd, 0x2a1462b3};
    uint32_t top = sum >> 25;
    sum = (sum & 0x1ffffff) << 5 ^ value;
    for (unsigned i = 0; i < 5; i++) {
        if ((top >> i & 1) != 0) {
            sum ^= generator[i];
        }
    }
    return sum;
}

static uint32_t polymod(const char *prefix, const uint8_t *groups, size_t count)
{
    uint32_t sum = 1;
    for (const char *c = prefix; *c != '\0'; c++) {
        sum = polymod_step(sum, (uint8_t)((unsigned char)*c >> 5));
    }
    sum = polymod_step(sum, 0);
    for (const char *c = prefix; *c != '\0'; c++) {
        sum = polymod_step(sum, (unsigned char)*c & 31);
    }
    for (size_t i = 0; i < count; i++) {
        sum = polymod_step(sum, groups[i]);
    }
    return sum;
}

/* Group i holds bits 5i to 5i+4, the first bit of data[0] being bit 0. */
static void to_groups(uint8_t groups[static GROUPS],
                      const uint8_t data[static 32])
{
    memset(groups, 0, GROUPS);
    for (size_t bit = 0; bit < 256; bit++) {
        if ((data[bit / 8] >> (7 - bit % 8) & 1) != 0) {
            groups[bit / 5] |= (uint8_t)(1u << (4 - bit % 5));
        }
    }
}

static void from_groups(uint8_t data[static 32],
                        const uint8_t groups[static GROUPS])
{
    memset(data, 0, 32);
    for (size_t bit = 0; bit < 256; bit++) {
        if ((groups[bit / 5] >> (4 - bit % 5) & 1) != 0) {
            data[bit / 8] |= (uint8_t)(1u << (7 - bit % 8));
        }
    }
}

void bech32_format(char text[static BECH32_TEXT_SIZE], const char *prefix,
                   const uint8_t data[static 32])
{
    size_t prefix_size = strlen(prefix);
    POT_ASSERT(prefix_size > 0 && prefix_size <= BECH32_PREFIX_MAX);
    uint8_t groups[GROUPS + CHECK_GROUPS] = {0};
    to_groups(groups, data);
    uint32_t sum = polymod(prefix, groups, sizeof(groups)) ^ BECH32M;
    for (size_t i = 0; i < CHECK_GROUPS; i++) {
        groups[GROUPS + i] = (uint8_t)(sum >> (5 * (5 - i)) & 31);
    }
    memcpy(text, prefix, prefix_size);
    text[prefix_size] = '1';
    for (size_t i = 0; i < sizeof(groups); i++) {
        text[prefix_size + 1 + i] = alphabet[groups[i]];
    }
    text[prefix_size + 1 + sizeof(groups)] = '\0';
}

static bool has_one_case(const char *text)
{
    bool has_lower = false;
    bool has_upper = false;
    for (const char *c = text; *c != '\0'; c++) {
        has_lower = has_lower || islower((unsigned char)*c);
        has_upper = has_upper || isupper((unsigned char)*c);
    }
    return !(has_lower && has_upper);
}

enum pot_err bech32_parse(uint8_t data[static 32], const char *prefix,
                          const char *text)
{
    uint8_t groups[GROUPS + CHECK_GROUPS];
    size_t prefix_size = strlen(prefix);
    if (strlen(text) != prefix_size + 1 + sizeof(groups) ||
        !has_one_case(text)) {
        return POT_EFORMAT;
    }
    for (size_t i = 0; i < prefix_size; i++) {
        if (tolower((unsigned char)text[i]) != prefix[i]) {
            return POT_EFORMAT;
        }
    }
    if (text[prefix_size] != '1') {
        return POT_EFORMAT;
    }
    for (size_t i = 0; i < sizeof(groups); i++) {
        int c = tolower((unsigned char)text[prefix_size + 1 + i]);
        const char *at = strchr(alphabet, c);
        if (at == NULL) {
            return POT_EFORMAT;
        }
        groups[i] = (uint8_t)(at - alphabet);
    }
    /* The last group carries one bit of data and four of padding. */
    if (polymod(prefix, groups, sizeof(groups)) != BECH32M ||
        (groups[GROUPS - 1] & 15) != 0) {
        return POT_EFORMAT;
    }
    from_groups(data, groups);
    return POT_OK;
}
