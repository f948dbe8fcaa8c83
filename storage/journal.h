/* journal: entries appended to a file.
 *
 * An entry is
 *
 *   8 magic | u32 size | 16 checksum | bytes | zeros up to the next 4096
 *
 * little-endian, the checksum over size and bytes.  It begins at a multiple of
 * 4096, so that no write touches what an earlier one synced.  When nobody
 * needs the entries any more they are written over from the file's beginning:
 * what follows the last one is an older one, or nothing. */
#ifndef POT_STORAGE_JOURNAL_H
#define POT_STORAGE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* The file's size, at most. */
#define JOURNAL_MAX ((size_t)8 << 20)

struct journal; /* opaque: storage/journal.c */

/* journal_open: the file at path, made if there is none; nothing is read.
 * Errors: POT_EACCESS, POT_EFULL, POT_EIO */
POT_MUST_USE enum pot_err journal_open(struct journal **out, const char *path);
void journal_close(struct journal *journal); /* NULL is fine */

/* journal_read: the whole file, or what of it comes before a bad sector, in
 * fresh memory.  Errors: POT_EIO */
POT_MUST_USE enum pot_err journal_read(const struct journal *journal,
                                       uint8_t **out, size_t *size);

/* journal_seek: the next append goes to this place: 0, or what journal_next
 * said. */
void journal_seek(struct journal *journal, size_t offset);

/* journal_end: where it goes. */
size_t journal_end(const struct journal *journal);

/* journal_append: behind the entries that are there, not synced; if it fails
 * the next one goes to the same place.  journal_sync: all are on the disk.
 *
 * Errors: POT_ELIMIT there is no room;
 *         POT_EFULL, POT_EIO: what the disk has of it is unknown */
POT_MUST_USE enum pot_err journal_append(struct journal *journal,
                                         const void *data, size_t size);
POT_MUST_USE enum pot_err journal_sync(struct journal *journal);

/* journal_next: the entry at *offset of a file's bytes, in place; *offset is
 * behind it then.  False: there is no whole entry. */
bool journal_next(const uint8_t *file, size_t file_size, size_t *offset,
                  const uint8_t **data, size_t *size);

#endif
