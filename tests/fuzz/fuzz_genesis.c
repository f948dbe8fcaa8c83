/* A genesis.json that parses is written back as text that parses to the same
 * bytes. */
#include "config.h"

#include "proto/genesis.h"

#include "base/check.h"
#include "proto/codec.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[GENESIS_WHY_SIZE] = "";
    Pot__Genesis *genesis;
    if (genesis_parse(&genesis, (const char *)data, size, why) != POT_OK) {
        POT_ASSERT(genesis == NULL);
        POT_ASSERT(why[0] != '\0');
        return 0;
    }
    char *text = genesis_format(genesis);
    Pot__Genesis *again;
    enum pot_err err = genesis_parse(&again, text, strlen(text), why);
    POT_ASSERT(err == POT_OK);
    struct hash a;
    struct hash b;
    genesis_hash(&a, genesis);
    genesis_hash(&b, again);
    POT_ASSERT(hash_equal(&a, &b));
    free(text);
    codec_free(again);
    codec_free(genesis);
    return 0;
}
