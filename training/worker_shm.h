/* worker_shm: memory that potd and a pot-worker share, behind a descriptor
 * that the worker inherits.  It grows and never shrinks. */
#ifndef POT_TRAINING_WORKER_SHM_H
#define POT_TRAINING_WORKER_SHM_H

#include <stddef.h>

#include "base/err.h"

/* {.fd = -1} is empty. */
struct worker_shm {
    int fd;
    size_t size; /* of the mapping */
    void *data;  /* NULL while size is 0 */
};

/* worker_shm_open: a new one, close-on-exec, of size bytes (0 is fine). */
POT_MUST_USE enum pot_err worker_shm_open(struct worker_shm *shm, size_t size);

/* worker_shm_attach: the worker's side of an inherited descriptor, which it
 * then owns; maps nothing yet. */
void worker_shm_attach(struct worker_shm *shm, int fd);

/* worker_shm_grow: at least size bytes, mapped here; the old bytes stay, the
 * address may change.  For the side that opened it. */
POT_MUST_USE enum pot_err worker_shm_grow(struct worker_shm *shm, size_t size);

/* worker_shm_map: maps size bytes of what the other side has made.
 * Errors: POT_ERANGE there are fewer. */
POT_MUST_USE enum pot_err worker_shm_map(struct worker_shm *shm, size_t size);

/* worker_shm_close: unmaps and closes; the struct is empty again. */
void worker_shm_close(struct worker_shm *shm);

#endif
