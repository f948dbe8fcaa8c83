/* file: small files read whole, written durably. */
#ifndef POT_BASE_FILE_H
#define POT_BASE_FILE_H

#include <stddef.h>
#include <sys/stat.h>

#include "base/err.h"

/* file_stat: stat() with our error codes. */
POT_MUST_USE enum pot_err file_stat(const char *path, struct stat *out);

/* file_err_text: err_text of what came of reading or writing path, or that it
 * is a folder. */
const char *file_err_text(enum pot_err err, const char *path);

/* file_read_into: the whole file into data.  Errors: POT_ELIMIT it is longer
 * than size_max; POT_ENOENT, POT_EACCESS, POT_EIO. */
POT_MUST_USE enum pot_err file_read_into(const char *path, void *data,
                                         size_t size_max, size_t *size);

/* file_read: the whole file in fresh memory, with a NUL behind it; free()
 * releases it.  Errors: as file_read_into, *out is NULL then. */
POT_MUST_USE enum pot_err file_read(char **out, size_t *size, const char *path,
                                    size_t size_max);

/* file_create: a new file with the given mode and bytes, synced with its
 * folder.  Errors: POT_EEXIST, POT_ENOENT (no such folder), POT_EFULL... */
POT_MUST_USE enum pot_err file_create(const char *path, unsigned mode,
                                      const void *data, size_t size);

/* file_replace: as file_create, taking the place of an old file at once. */
POT_MUST_USE enum pot_err file_replace(const char *path, unsigned mode,
                                       const void *data, size_t size);

/* file_replace_begin, _end: file_replace for what comes in pieces, written
 * to fd in between.  Until the end it has another name: a crash leaves no
 * half of a file under path.
 *
 * In:     err: POT_OK, or why there is no whole file: the old one stays
 * Owns:   the end releases all, also when it fails
 * Errors: err, or as file_create */
struct file_replacement {
    int fd;
    char *path;
    char *fresh; /* "path.new" */
};

POT_MUST_USE enum pot_err file_replace_begin(struct file_replacement *out,
                                             const char *path, unsigned mode);
POT_MUST_USE enum pot_err file_replace_end(struct file_replacement *replacement,
                                           enum pot_err err);

/* file_save: file_replace to a place that a person names: what is there and no
 * plain file, a device, a pipe or a link to something, is written to and stays
 * what it is. */
POT_MUST_USE enum pot_err file_save(const char *path, unsigned mode,
                                    const void *data, size_t size);

/* file_sync: a file's bytes, or a folder's names, are on the disk. */
POT_MUST_USE enum pot_err file_sync(const char *path);

/* file_make_folder: mkdir with its parents; fine if it is there. */
POT_MUST_USE enum pot_err file_make_folder(const char *path, unsigned mode);

/* file_remove_folder: a folder that holds only plain files, with them; fine
 * if it is not there. */
POT_MUST_USE enum pot_err file_remove_folder(const char *path);

/* file_write_all: write() until all is written. */
POT_MUST_USE enum pot_err file_write_all(int fd, const void *data, size_t size);

/* file_write_at: pwrite() until all is written.  Errors: POT_EFULL, also for
 * the process's limit on the size of a file; POT_EIO */
POT_MUST_USE enum pot_err file_write_at(int fd, const void *data, size_t size,
                                        size_t offset);

/* file_join: "folder/name", or name alone when it is absolute; "./" before it
 * is left out; free(). */
char *file_join(const char *folder, const char *name);

/* file_folder: the folder part of path, "." if it has none; free(). */
char *file_folder(const char *path);

#endif
