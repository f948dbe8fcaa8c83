/* evidence_file: the evidence that waits, kept in a small file, so that a
 * restart does not lose it.  It is no word of this node's: what is read is
 * checked like what comes from a peer, and without the file only time is
 * lost.  Written off the loop, a write at a time. */
#ifndef POT_NODE_TX_EVIDENCE_FILE_H
#define POT_NODE_TX_EVIDENCE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "node/loop/offload.h"
#include "proto/chain.pb-c.h"

struct evidence_file {
    uv_loop_t *loop;
    char *path; /* NULL: nothing is kept */
    uint8_t *writing;
    size_t writing_size;
    uint8_t *waiting; /* what to write then; NULL: nothing */
    size_t waiting_size;
    enum pot_err err; /* of the last write */
    struct offload offload;
};

/* evidence_file_init: path is copied; NULL: no file.
 * evidence_file_fini: once the work off the loop has ended. */
void evidence_file_init(struct evidence_file *file, uv_loop_t *loop,
                        const char *path);
void evidence_file_fini(struct evidence_file *file);

/* evidence_file_load: fresh list of fresh proofs; one that cannot be read is
 * told in the log and counts as empty. */
Pot__Signed **evidence_file_load(const struct evidence_file *file,
                                 size_t *count);

/* evidence_file_save: in place of what it held. */
void evidence_file_save(struct evidence_file *file, Pot__Signed **list,
                        size_t count);

#endif
