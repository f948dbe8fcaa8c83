/* state_text: a state's keys and records for people (ledger/keys.h). */
#ifndef POT_CTL_STATE_TEXT_H
#define POT_CTL_STATE_TEXT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define STATE_KEY_TEXT_SIZE 600

/* state_key_text: "account/pot1...", "task/<hash>", "unbonding/1200"; what is
 * no known key in hex. */
const char *state_key_text(char text[static STATE_KEY_TEXT_SIZE],
                           const uint8_t *key, size_t size);

/* state_value_json: the record under a key, field by field; what is none in
 * hex. */
json_t *state_value_json(const uint8_t *key, size_t key_size,
                         const uint8_t *value, size_t size);

#endif
