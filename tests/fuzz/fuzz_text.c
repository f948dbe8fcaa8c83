/* What people write: addresses, hashes, amounts, hex.  What is taken reads the
 * same when it is written again. */
#include "config.h"

#include "base/amount.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/key.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text)
{
    char address[ADDRESS_TEXT_SIZE];
    char hex[HASH_TEXT_SIZE];
    uint8_t bytes[8];
    struct public_key key;
    struct hash hash;
    struct amount amount;
    if (address_parse(&key, text) == POT_OK) {
        struct public_key again;
        POT_ASSERT(address_parse(&again, address_format(&key, address)) ==
                   POT_OK);
        POT_ASSERT(public_key_equal(&key, &again));
    }
    if (hash_parse(&hash, text) == POT_OK) {
        POT_ASSERT(strcmp(hash_format(&hash, hex), text) == 0);
    }
    (void)!amount_parse(&amount, text);
    (void)!hex_parse(bytes, sizeof(bytes), text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    POT_ASSERT(text != NULL);
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    check(text);
    free(text);
    return 0;
}
