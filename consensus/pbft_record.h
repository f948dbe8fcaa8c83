/* pbft_record: what a replica must remember across a crash.
 *
 * The record names the height and view and holds the own votes in them, the
 * highest prepared certificate with its block, and the own view change.  So
 * a restart sends the same signatures again, never others, and a block that
 * anyone may have committed is still held by all who committed to it.  Of one
 * vote it says only that it may have been cast: see struct advance. */
#ifndef POT_CONSENSUS_PBFT_RECORD_H
#define POT_CONSENSUS_PBFT_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "consensus/pbft.h"

/* pbft_record_encode: at most PBFT_RECORD_BYTES_MAX; free() releases it. */
uint8_t *pbft_record_encode(size_t *size, const struct pbft *p);

/* pbft_record_decode: codec_free releases it.  NULL and *err: those of
 * pbft_new. */
POT_MUST_USE Pot__PbftRecord *pbft_record_decode(
    const struct pbft_config *config, const void *data, size_t size,
    enum pot_err *err);

/* pbft_record_mark: the furthest that a record's key has signed. */
struct pbft_mark pbft_record_mark(const Pot__PbftRecord *record);

/* pbft_record_restore: into a replica at the beginning of the record's
 * height; an observer does not care. */
void pbft_record_restore(struct pbft *p, const Pot__PbftRecord *record);

#endif
