/* store_health: how a store's health changes; for storage/ only.
 *
 *             a write finds no room             store_cure: there is room
 *   SOUND ------------------------> DISK_FULL -------------------------+
 *     ^  |                          MAP_FULL                           |
 *     |  | a write or a sync fails                                     |
 *     |  +------------------------> FAILED ----- store_cure: opened ---+
 *     |  | a checksum is wrong               anew, and right           |
 *     |  +------------------------> CORRUPT, for good                  |
 *     |  | store_ail                                                   |
 *     |  +------------------------> DIVERGED, for good                 |
 *     +----------------------------------------------------------------+
 *
 * It only worsens but for store_cure. */
#ifndef POT_STORAGE_STORE_HEALTH_H
#define POT_STORAGE_STORE_HEALTH_H

#include <stdbool.h>

#include "storage/store_env.h"

/* store_health_note: what a read or a write came to; full says which of the
 * two kinds POT_EFULL is. */
void store_health_note(struct store *store, enum pot_err err,
                       enum store_health full);

/* store_health_admit: whether a write may begin.  Errors: POT_EFULL, POT_EIO,
 * POT_ECORRUPT, by its health; it worsens here when the disk has less room
 * than the limit asks for. */
POT_MUST_USE enum pot_err store_health_admit(struct store *store);

/* store_health_has_room: whether the disk and the limit of the process on the
 * size of files leave at least so many bytes. */
bool store_health_has_room(const struct store *store, uint64_t bytes);

/* store_health_room_to_cure: so many bytes must be free before a full store
 * counts as cured: a quarter more than the limit asks for. */
uint64_t store_health_room_to_cure(const struct store *store);

#endif
