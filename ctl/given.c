#include "config.h"

#include "ctl/given.h"

#include "base/amount.h"
#include "base/file.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define PREFIX         "pot1"
#define ADDRESS_LENGTH (sizeof(PREFIX) - 1 + 52 + 6)
#define HASH_LENGTH    ((size_t)HASH_SIZE * 2)

/* What an address is written with behind its first '1'. */
#define ADDRESS_DIGITS "023456789acdefghjklmnpqrstuvwxyz"
#define HEX_DIGITS     "0123456789abcdefABCDEF"

static bool is_hex(const char *text)
{
    return strlen(text) == HASH_LENGTH &&
           strspn(text, HEX_DIGITS) == HASH_LENGTH;
}

static bool is_file(const char *text)
{
    struct stat info;
    return file_stat(text, &info) == POT_OK;
}

/* ---- addresses */

/* Letters, a '1', and at least a checksum: as other chains write theirs. */
static bool is_foreign(const char *text)
{
    const char *one = strrchr(text, '1');
    if (one == NULL || one == text || strlen(one + 1) < 8 ||
        strspn(one + 1, ADDRESS_DIGITS) != strlen(one + 1)) {
        return false;
    }
    for (const char *at = text; at < one; at++) {
        if (!isalpha((unsigned char)*at)) {
            return false;
        }
    }
    return true;
}

/* Of what begins as an address does. */
static const char *broken_why(const char *text)
{
    if (strchr(text, '@') != NULL) {
        return "an address and a place: give what stands before the @";
    }
    if (strlen(text) < ADDRESS_LENGTH) {
        return "an address that lacks characters: 62 are expected";
    }
    if (strlen(text) > ADDRESS_LENGTH) {
        return "an address with too many characters: 62 are expected";
    }
    const char *rest = text + sizeof(PREFIX) - 1;
    return strspn(rest, ADDRESS_DIGITS) < strlen(rest)
               ? "an address with a character that none has: behind pot1 there"
                 " are digits and small letters, but no 1, b, i or o"
               : "an address whose checksum is wrong: one of its characters is;"
                 " copy it again";
}

static const char *address_why(const char *text)
{
    if (strncasecmp(text, PREFIX, sizeof(PREFIX) - 1) == 0) {
        return broken_why(text);
    }
    if (is_hex(text)) {
        return "a hash, as a task, a block and a transaction have one; an"
               " address reads pot1...";
    }
    if (is_file(text)) {
        return "a file; `potctl key show FILE` prints the address of a key"
               " file";
    }
    if (is_foreign(text)) {
        return "an address of another network; one of this begins with pot1";
    }
    return "not an address; one reads pot1..., as `potctl key show FILE` and"
           " `potctl validators` print it";
}

enum exit_code given_address(struct public_key *out, struct ctl *ctl,
                             const char *place, const char *text)
{
    return address_parse(out, text) == POT_OK
               ? EXIT_CODE_DONE
               : ctl_fail(ctl, EXIT_CODE_USAGE, "%s%s: %s", place, text,
                          address_why(text));
}

/* ---- hashes */

/* NULL: it looks like nothing that has another name. */
static const char *hash_why(const char *text)
{
    struct public_key key;
    if (address_parse(&key, text) == POT_OK) {
        return "an address";
    }
    if (is_hex(text)) {
        return "in capitals";
    }
    if (strlen(text) != 0 && strspn(text, HEX_DIGITS) == strlen(text)) {
        return strlen(text) < HASH_LENGTH ? "too short" : "too long";
    }
    return is_file(text) ? "a file" : NULL;
}

static enum exit_code given_hash(struct hash *out, struct ctl *ctl,
                                 const char *place, const char *text,
                                 const char *rule)
{
    if (hash_parse(out, text) == POT_OK) {
        return EXIT_CODE_DONE;
    }
    const char *why = hash_why(text);
    return ctl_fail(ctl, EXIT_CODE_USAGE, "%s%s: %s%s%s", place, text,
                    why != NULL ? why : "", why != NULL ? "; " : "", rule);
}

enum exit_code given_task(struct hash *out, struct ctl *ctl, const char *place,
                          const char *text)
{
    return given_hash(out, ctl, place, text,
                      "a task id is 64 lower-case hex digits; `potctl tasks`"
                      " lists them");
}

enum exit_code given_tx(struct hash *out, struct ctl *ctl, const char *text)
{
    return given_hash(out, ctl, "", text,
                      "a transaction is named by its hash, 64 lower-case hex"
                      " digits");
}

/* ---- amounts */

const char *given_amount_why(const char *text)
{
    struct amount any;
    size_t size = strspn(text, "0123456789.,");
    const char *point = strchr(text, '.');
    if (text[0] == '-') {
        return "is below zero: give an amount in POT, such as \"12.5\"";
    }
    if (size > 0 && text[size] != '\0') {
        return "must be the number alone, in POT: \"12.5\", without a unit";
    }
    if (strchr(text, ',') != NULL) {
        return "must have a point before its decimals, and nothing between"
               " thousands: \"1200.5\"";
    }
    if (point != NULL && point > text && strlen(point + 1) > 9 &&
        strspn(point + 1, "0123456789") == strlen(point + 1)) {
        return "has more than nine decimals, and 0.000000001 POT is the least"
               " amount";
    }
    return amount_parse(&any, text) == POT_ERANGE
               ? "is more than all money there can be, 18446744073.709551615"
                 " POT"
               : "must be an amount in POT, such as \"100\" or \"12.5\"";
}
