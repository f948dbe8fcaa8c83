/* list: lists of 32-byte values, hashes or keys, each under one key. */
#ifndef POT_LEDGER_LIST_H
#define POT_LEDGER_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "ledger/keys.h"
#include "ledger/state.h"
#include "proto/state.pb-c.h"

/* list_load: fresh memory that codec_free releases; never NULL. */
Pot__HashList *list_load(const struct state *state, struct state_key key);
size_t list_count(const struct state *state, struct state_key key);

/* list_append: at the end.  list_insert: in ascending order, where the list
 * is kept so.  list_remove: wherever it is, if at all. */
void list_append(const struct state *state, struct state_key key,
                 const uint8_t value[static 32]);
void list_insert(const struct state *state, struct state_key key,
                 const uint8_t value[static 32]);
void list_remove(const struct state *state, struct state_key key,
                 const uint8_t value[static 32]);

#endif
