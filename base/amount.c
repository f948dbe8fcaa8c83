#include "config.h"

#include "base/amount.h"

#include "base/check.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DECIMALS 9

__extension__ typedef unsigned __int128 wide;

bool amount_add(struct amount *out, struct amount a, struct amount b)
{
    if (a.units > UINT64_MAX - b.units) {
        return false;
    }
    out->units = a.units + b.units;
    return true;
}

bool amount_mul(struct amount *out, struct amount a, uint64_t factor)
{
    if (factor != 0 && a.units > UINT64_MAX / factor) {
        return false;
    }
    out->units = a.units * factor;
    return true;
}

struct amount amount_part(struct amount a, uint64_t numerator,
                          uint64_t denominator)
{
    POT_ASSERT(denominator > 0);
    POT_ASSERT(numerator <= denominator);
    wide product = (wide)a.units * numerator;
    return (struct amount){.units = (uint64_t)(product / denominator)};
}

/* Reads digits up to the first other character; false on overflow. */
static bool read_digits(const char **at, uint64_t *value, unsigned *count)
{
    for (; isdigit((unsigned char)**at); (*at)++, (*count)++) {
        uint64_t digit = (uint64_t)(**at - '0');
        if (*value > (UINT64_MAX - digit) / 10) {
            return false;
        }
        *value = *value * 10 + digit;
    }
    return true;
}

enum pot_err amount_parse(struct amount *out, const char *text)
{
    uint64_t value = 0;
    unsigned whole_digits = 0;
    unsigned decimals = 0;
    const char *at = text;
    if (!read_digits(&at, &value, &whole_digits)) {
        return POT_ERANGE;
    }
    if (whole_digits == 0) {
        return POT_EFORMAT;
    }
    if (*at == '.') {
        at++;
        if (!read_digits(&at, &value, &decimals)) {
            return POT_ERANGE;
        }
        if (decimals == 0) {
            return POT_EFORMAT;
        }
    }
    if (*at != '\0' || decimals > DECIMALS) {
        return POT_EFORMAT;
    }
    for (; decimals < DECIMALS; decimals++) {
        if (value > UINT64_MAX / 10) {
            return POT_ERANGE;
        }
        value *= 10;
    }
    out->units = value;
    return POT_OK;
}

const char *amount_format(struct amount a, char text[static AMOUNT_TEXT_SIZE])
{
    uint64_t whole = a.units / AMOUNT_UNITS_PER_POT;
    uint64_t part = a.units % AMOUNT_UNITS_PER_POT;
    int size =
        snprintf(text, AMOUNT_TEXT_SIZE, "%" PRIu64 ".%09" PRIu64, whole, part);
    while (text[size - 1] == '0') {
        text[--size] = '\0';
    }
    if (text[size - 1] == '.') {
        text[--size] = '\0';
    }
    return text;
}
