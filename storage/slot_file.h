/* slot_file: one small record on disk, replaced in place and never torn.
 *
 * Two slots are written in turn.  A slot is
 *
 *   8 magic | 64 label | u64 sequence | u32 size | 32 checksum | bytes
 *
 * little-endian, the checksum over all of it but itself and over the slot's
 * number.  The valid slot with the higher sequence holds the record; a torn
 * write only ever hits the other one. */
#ifndef POT_STORAGE_SLOT_FILE_H
#define POT_STORAGE_SLOT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SLOT_LABEL_SIZE  64
#define SLOT_HEADER_SIZE 116

struct slot_file; /* opaque: storage/slot_file.c */

/* slot_file_create: a new file with an empty record under label, synced with
 * its folder, whole or not at all.
 *
 * Errors: POT_EEXIST, POT_ENOENT no such folder, POT_EACCESS, POT_EFULL,
 *         POT_EIO */
POT_MUST_USE enum pot_err slot_file_create(
    const char *path, const uint8_t label[static SLOT_LABEL_SIZE],
    size_t record_max);

/* slot_file_open: locks the file and reads it.  record_max as at creation.
 *
 * Errors: POT_ENOENT, POT_EBUSY another process has it,
 *         POT_EGUARD  a valid slot has another label,
 *         POT_ECORRUPT no slot is valid, POT_EACCESS, POT_EIO */
POT_MUST_USE enum pot_err slot_file_open(
    struct slot_file **out, const char *path,
    const uint8_t label[static SLOT_LABEL_SIZE], size_t record_max);
void slot_file_close(struct slot_file *file);

/* slot_file_is_torn: when it was opened, something stood where the other slot
 * is that is no record: a crash tore the last write, or the disk lost what was
 * written, and the record is the one before. */
bool slot_file_is_torn(const struct slot_file *file);

/* slot_file_record: borrowed until the next save. */
const void *slot_file_record(const struct slot_file *file, size_t *size);

/* slot_file_save: replaces the record; on disk at POT_OK if is_synced.
 *
 * Errors: POT_EFULL the old record stands, another save may succeed
 *         POT_EIO   and every later save fails too, until slot_file_renew: what
 *                   a failed sync left on the disk is unknown */
POT_MUST_USE enum pot_err slot_file_save(struct slot_file *file,
                                         const void *data, size_t size,
                                         bool is_synced);

/* slot_file_renew: the record in a new file in place of this one.  What a
 * failed save left in the old one is not known, and cannot be: saying sync
 * again would only be told that all is well.  The record is the last that was
 * saved; saving is possible again.
 *
 * Errors: POT_EFULL, POT_EIO: as before */
POT_MUST_USE enum pot_err slot_file_renew(struct slot_file *file);

/* A slot's parts, in place.  Outside this module the fuzzer asks for slots. */
struct slot {
    const uint8_t *label;
    uint64_t sequence;
    const uint8_t *data;
    size_t size;
};

/* slot_decode: whether data begins with the valid slot number `index`. */
bool slot_decode(struct slot *out, unsigned index, const void *data,
                 size_t size);

/* slot_encode: the slot's header, which its bytes follow. */
void slot_encode(uint8_t header[static SLOT_HEADER_SIZE], unsigned index,
                 const struct slot *slot);

#endif
