#include "config.h"

#include "proto/round_room.h"

#include "base/limits.h"

/* Encoded at their largest, with what frames them (tests/unit/test_round_room
 * makes such ones): a submission with the longest kernel's name; a judgement; a
 * reward; an attestation without judgements; the update around them. */
#define SUBMISSION_BYTES  346
#define JUDGEMENT_BYTES   38
#define REWARD_BYTES      49
#define ATTESTATION_BYTES 200
#define UPDATE_BYTES      256

/* Of a block: header, frames and the certificate of the block before. */
#define BLOCK_REST_BYTES                                                       \
    (BLOCK_HEADER_BYTES_MAX + 4096 + 80 * (uint64_t)VALIDATORS_MAX)

static uint64_t bytes_of_miner(uint32_t validators)
{
    return SUBMISSION_BYTES + REWARD_BYTES +
           (uint64_t)JUDGEMENT_BYTES * validators;
}

/* The proposer has a reward, too. */
static uint64_t bytes_of_none(uint32_t validators)
{
    return UPDATE_BYTES + REWARD_BYTES +
           (uint64_t)(ATTESTATION_BYTES + REWARD_BYTES) * validators;
}

uint64_t round_bytes_max(uint32_t miners, uint32_t validators)
{
    return bytes_of_none(validators) + miners * bytes_of_miner(validators);
}

bool round_fits(uint64_t update_bytes, uint64_t block_bytes)
{
    return block_bytes >= BLOCK_REST_BYTES &&
           update_bytes <= block_bytes - BLOCK_REST_BYTES;
}

uint32_t round_miners_max(uint64_t block_bytes, uint32_t validators)
{
    uint64_t rest = BLOCK_REST_BYTES + bytes_of_none(validators);
    if (block_bytes <= rest) {
        return 0;
    }
    uint64_t miners = (block_bytes - rest) / bytes_of_miner(validators);
    return miners < ROSTER_MAX ? (uint32_t)miners : ROSTER_MAX;
}
