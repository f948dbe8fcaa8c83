/* round_room: how many miners' round a chain has room for.  The update that
 * closes a round lists each submission, what each validator says of it and what
 * it is paid, and has to fit one block: a round that does not could never
 * close. */
#ifndef POT_PROTO_ROUND_ROOM_H
#define POT_PROTO_ROUND_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* round_bytes_max: the largest update of a round of so many miners and
 * validators. */
uint64_t round_bytes_max(uint32_t miners, uint32_t validators);

/* round_fits: whether an update of so many bytes fits a block of at most
 * block_bytes, with no other part in it. */
bool round_fits(uint64_t update_bytes, uint64_t block_bytes);

/* round_miners_max: the most, whose update always fits; at most ROSTER_MAX. */
uint32_t round_miners_max(uint64_t block_bytes, uint32_t validators);

#endif
