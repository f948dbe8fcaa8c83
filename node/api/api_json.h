/* api_json: what the chain holds, as the API tells it.
 *
 * Hashes are lower-case hex, keys addresses, amounts strings of base units;
 * losses and accuracies are JSON numbers.  A json_t that a function returns is
 * a new reference, never NULL. */
#ifndef POT_NODE_API_API_JSON_H
#define POT_NODE_API_API_JSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/key.h"
#include "proto/chain.pb-c.h"

/* api_json_set: object[key] = value; takes value. */
void api_json_set(json_t *object, const char *key, json_t *value);
/* api_json_add: the same at the end of an array. */
void api_json_add(json_t *array, json_t *value);

json_t *api_json_count(uint64_t value); /* beyond 2^63 - 1 it saturates */
json_t *api_json_amount(uint64_t units);
json_t *api_json_hash(const struct hash *hash);
json_t *api_json_address(const struct public_key *key);
json_t *api_json_hex(const void *data, size_t size);

/* api_json_text: bytes that are no UTF-8 show as question marks. */
json_t *api_json_text(const char *text);

/* Of a field: null when its size is wrong. */
json_t *api_json_hash_field(ProtobufCBinaryData field);
json_t *api_json_address_field(ProtobufCBinaryData field);

/* api_json_loss: of Q40.24. */
json_t *api_json_loss(int64_t loss);
/* api_json_accuracy: correct of rows; null when there is nothing to tell. */
json_t *api_json_accuracy(const Pot__Evaluation *evaluation);

/* api_json_write: appends compact JSON; takes json. */
void api_json_write(struct buf *out, json_t *json);

/* api_json_reward_for: "training" and so on. */
const char *api_json_reward_for(uint32_t reason);

/* api_json_code: an enum value's name in snake_case, without its prefix:
 * ("TX_FEE_LOW", "TX_") -> "fee_low". */
const char *api_json_code(char text[static 64], const char *name,
                          const char *prefix);

#endif
