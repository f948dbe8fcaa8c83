/* task_read: task.toml, read strictly: unknown keys and values out of range
 * are refused with file, line and key. */
#ifndef POT_CTL_TASK_READ_H
#define POT_CTL_TASK_READ_H

#include "ctl/task_file.h"

#define TASK_FILE_BYTES_MAX (1 << 20)

/* task_read: reads and checks all that needs no data and no node.
 *
 * Owns:   task_file_fini releases what is in out, on failure too
 * Errors: EXIT_CODE_CONFIG the file cannot be read; EXIT_CODE_REJECTED its
 * content */
POT_MUST_USE enum exit_code task_read(struct task_file *out, struct ctl *ctl,
                                      const char *path);

/* task_read_text: the same from text; path is for messages and folders. */
POT_MUST_USE enum exit_code task_read_text(struct task_file *out,
                                           struct ctl *ctl, const char *path,
                                           const char *text);

#endif
