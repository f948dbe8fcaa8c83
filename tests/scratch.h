/* scratch: fresh temporary folders for tests and benchmarks, below $TMPDIR.
 * file_remove_folder takes one away again. */
#ifndef POT_TESTS_SCRATCH_H
#define POT_TESTS_SCRATCH_H

#include <stdlib.h>

#include "base/check.h"
#include "base/file.h"

/* scratch_folder: a fresh folder; free(). */
static inline char *scratch_folder(void)
{
    const char *parent = getenv("TMPDIR");
    char *path = file_join(parent != NULL ? parent : "/tmp", "pot-test-XXXXXX");
    char *made = mkdtemp(path);
    POT_ASSERT(made != NULL);
    return path;
}

/* scratch_remove: takes a folder away with the files in it, and frees its
 * name. */
static inline void scratch_remove(char *folder)
{
    enum pot_err err = file_remove_folder(folder);
    POT_ASSERT(err == POT_OK);
    free(folder);
}

#endif
