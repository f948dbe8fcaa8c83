#include "config.h"

#include "ctl/state_text.h"

#include "base/alloc.h"
#include "base/hex.h"
#include "base/key.h"
#include "proto/codec.h"
#include "proto/state.pb-c.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum rest { REST_NONE, REST_ADDRESS, REST_HASH, REST_NUMBER };

/* A value without a record is bare bytes. */
static const struct kind {
    const char *prefix;
    enum rest rest; /* what follows the prefix in the key */
    const ProtobufCMessageDescriptor *record;
} kinds[] = {
    {"account/", REST_ADDRESS, &pot__account_record__descriptor},
    {"dataset/", REST_HASH, &pot__dataset_record__descriptor},
    {"dataset-number/", REST_NUMBER, NULL},
    {"task/", REST_HASH, &pot__task_record__descriptor},
    {"task-number/", REST_NUMBER, NULL},
    {"blob/", REST_HASH, NULL},
    {"running", REST_NONE, &pot__hash_list__descriptor},
    {"opening", REST_NONE, &pot__hash_list__descriptor},
    {"stakers/validator", REST_NONE, &pot__hash_list__descriptor},
    {"stakers/miner", REST_NONE, &pot__hash_list__descriptor},
    {"validators", REST_NONE, &pot__validator_set__descriptor},
    {"signers/", REST_NUMBER, &pot__validator_set__descriptor},
    {"unbonding/", REST_NUMBER, &pot__hash_list__descriptor},
    {"closed/", REST_HASH, &pot__closed_record__descriptor},
    {"closed-until/", REST_NUMBER, &pot__hash_list__descriptor},
    {"challenge/", REST_HASH, &pot__challenge_record__descriptor},
    {"challenge-number/", REST_NUMBER, NULL},
    {"open-challenge/", REST_NUMBER, NULL},
    {"challenged/", REST_HASH, NULL},
    {"supply", REST_NONE, &pot__supply_record__descriptor},
};

static const struct kind *kind_of(const uint8_t *key, size_t size)
{
    static const size_t rests[] = {
        [REST_NONE] = 0,
        [REST_ADDRESS] = PUBLIC_KEY_SIZE,
        [REST_HASH] = HASH_SIZE,
        [REST_NUMBER] = 8,
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        size_t prefix = strlen(kinds[i].prefix);
        if (size == prefix + rests[kinds[i].rest] &&
            memcmp(key, kinds[i].prefix, prefix) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

const char *state_key_text(char text[static STATE_KEY_TEXT_SIZE],
                           const uint8_t *key, size_t size)
{
    const struct kind *kind = kind_of(key, size);
    if (kind == NULL) {
        return hex_format(text, key, size);
    }
    size_t used = strlen(kind->prefix);
    const uint8_t *rest = key + used;
    struct public_key account;
    uint64_t number = 0;
    memcpy(text, kind->prefix, used + 1);
    switch (kind->rest) {
    case REST_NONE:
        break;
    case REST_ADDRESS:
        memcpy(account.b, rest, PUBLIC_KEY_SIZE);
        (void)address_format(&account, text + used);
        break;
    case REST_HASH:
        (void)hex_format(text + used, rest, HASH_SIZE);
        break;
    case REST_NUMBER:
        for (unsigned i = 0; i < 8; i++) {
            number = number << 8 | rest[i];
        }
        (void)snprintf(text + used, STATE_KEY_TEXT_SIZE - used, "%" PRIu64,
                       number);
        break;
    }
    return text;
}

/* ---- records, along their descriptors */

static json_t *hex_json(const uint8_t *data, size_t size)
{
    char *text = pot_alloc(2 * size + 1);
    json_t *json = json_string(hex_format(text, data, size));
    free(text);
    return json;
}

static json_t *message_json(const ProtobufCMessage *message, unsigned depth);

static json_t *scalar_json(const ProtobufCFieldDescriptor *field,
                           const void *at, unsigned depth)
{
    const ProtobufCBinaryData *bytes = at;
    switch (field->type) {
    case PROTOBUF_C_TYPE_BYTES:
        return hex_json(bytes->data, bytes->len);
    case PROTOBUF_C_TYPE_STRING:
        return json_string(*(char *const *)at);
    case PROTOBUF_C_TYPE_MESSAGE:
        return message_json(*(ProtobufCMessage *const *)at, depth + 1);
    case PROTOBUF_C_TYPE_BOOL:
        return json_boolean(*(const protobuf_c_boolean *)at);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return json_integer(*(const int64_t *)at);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return json_integer(*(const uint32_t *)at);
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_ENUM:
        return json_integer(*(const int32_t *)at);
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        break; /* no record has any */
    }
    return json_null();
}

static size_t size_of(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_ENUM:
    case PROTOBUF_C_TYPE_FLOAT:
        break;
    }
    return 4;
}

static json_t *list_json(const ProtobufCFieldDescriptor *field,
                         const uint8_t *message, unsigned depth)
{
    json_t *list = json_array();
    size_t count;
    const uint8_t *items;
    memcpy(&count, message + field->quantifier_offset, sizeof(count));
    memcpy(&items, message + field->offset, sizeof(items));
    for (size_t i = 0; i < count; i++) {
        (void)json_array_append_new(
            list, scalar_json(field, items + i * size_of(field), depth));
    }
    return list;
}

/* A member of a oneof that is not the one. */
static bool is_absent(const ProtobufCFieldDescriptor *field,
                      const uint8_t *message)
{
    uint32_t which;
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0) {
        return false;
    }
    memcpy(&which, message + field->quantifier_offset, sizeof(which));
    return which != field->id;
}

static json_t *message_json(const ProtobufCMessage *message, unsigned depth)
{
    if (message == NULL || depth > CODEC_NESTING_MAX) {
        return json_null();
    }
    const uint8_t *bytes = (const uint8_t *)message;
    json_t *json = json_object();
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        if (is_absent(field, bytes)) {
            continue;
        }
        json_t *member = field->label == PROTOBUF_C_LABEL_REPEATED
                             ? list_json(field, bytes, depth)
                             : scalar_json(field, bytes + field->offset, depth);
        (void)json_object_set_new(json, field->name, member);
    }
    return json;
}

json_t *state_value_json(const uint8_t *key, size_t key_size,
                         const uint8_t *value, size_t size)
{
    const struct kind *kind = kind_of(key, key_size);
    ProtobufCMessage *message = NULL;
    if (kind == NULL || kind->record == NULL ||
        codec_decode(&message, kind->record, value, size) != POT_OK) {
        return hex_json(value, size);
    }
    json_t *json = message_json(message, 0);
    codec_free(message);
    return json;
}
