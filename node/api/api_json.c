#include "config.h"

#include "node/api/api_json.h"

#include "base/alloc.h"
#include "base/amount.h"
#include "base/check.h"
#include "base/fixed.h"
#include "base/hex.h"
#include "proto/codec.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REAL_DIGITS 15

void api_json_set(json_t *object, const char *key, json_t *value)
{
    int rc = json_object_set_new(object, key, value);
    POT_ASSERT(rc == 0);
}

void api_json_add(json_t *array, json_t *value)
{
    int rc = json_array_append_new(array, value);
    POT_ASSERT(rc == 0);
}

json_t *api_json_count(uint64_t value)
{
    return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

json_t *api_json_amount(uint64_t units)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRIu64, units);
    return json_string(text);
}

json_t *api_json_hash(const struct hash *hash)
{
    char text[HASH_TEXT_SIZE];
    return json_string(hash_format(hash, text));
}

json_t *api_json_address(const struct public_key *key)
{
    char text[ADDRESS_TEXT_SIZE];
    return json_string(address_format(key, text));
}

json_t *api_json_hex(const void *data, size_t size)
{
    char *text = pot_alloc(2 * size + 1);
    hex_format(text, data, size);
    json_t *json = json_stringn_nocheck(text, 2 * size);
    free(text);
    return json;
}

json_t *api_json_text(const char *text)
{
    json_t *json = json_string(text);
    if (json != NULL) {
        return json;
    }
    char *copy = pot_strdup(text);
    for (char *c = copy; *c != '\0'; c++) {
        *c = (unsigned char)*c < 0x80 ? *c : '?';
    }
    json = json_string(copy);
    free(copy);
    return json;
}

json_t *api_json_hash_field(ProtobufCBinaryData field)
{
    struct hash hash;
    return codec_hash(&hash, field) ? api_json_hash(&hash) : json_null();
}

json_t *api_json_address_field(ProtobufCBinaryData field)
{
    struct public_key key;
    return codec_key(&key, field) ? api_json_address(&key) : json_null();
}

json_t *api_json_loss(int64_t loss)
{
    return json_real((double)loss / FIXED_ONE);
}

json_t *api_json_accuracy(const Pot__Evaluation *evaluation)
{
    if (evaluation == NULL || evaluation->rows == 0) {
        return json_null();
    }
    return json_real((double)evaluation->correct / (double)evaluation->rows);
}

static int write_piece(const char *data, size_t size, void *context)
{
    buf_append(context, data, size);
    return 0;
}

void api_json_write(struct buf *out, json_t *json)
{
    int rc = json_dump_callback(json, write_piece, out,
                                JSON_COMPACT | JSON_ENCODE_ANY |
                                    JSON_REAL_PRECISION(REAL_DIGITS));
    POT_ASSERT(rc == 0);
    json_decref(json);
}

const char *api_json_code(char text[static 64], const char *name,
                          const char *prefix)
{
    size_t size = strlen(prefix);
    name += strncmp(name, prefix, size) == 0 ? size : 0;
    size = 0;
    while (name[size] != '\0' && size < 63) {
        text[size] = (char)tolower((unsigned char)name[size]);
        size++;
    }
    text[size] = '\0';
    return text;
}

const char *api_json_reward_for(uint32_t reason)
{
    static const char *const names[] = {
        [POT__REWARD_FOR__REWARD_NONE] = "none",
        [POT__REWARD_FOR__REWARD_TRAINING] = "training",
        [POT__REWARD_FOR__REWARD_ATTESTING] = "attesting",
        [POT__REWARD_FOR__REWARD_PROPOSING] = "proposing",
        [POT__REWARD_FOR__REWARD_SLASH] = "slash",
        [POT__REWARD_FOR__REWARD_EVIDENCE] = "evidence",
        [POT__REWARD_FOR__REWARD_CHALLENGE] = "challenge",
        [POT__REWARD_FOR__REWARD_REFEREEING] = "refereeing",
        [POT__REWARD_FOR__REWARD_DEPOSIT_LOST] = "deposit-lost",
    };
    return reason < sizeof(names) / sizeof(*names) && names[reason] != NULL
               ? names[reason]
               : "none";
}
