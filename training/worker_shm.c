#include "config.h"

#include "training/worker_shm.h"

#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum pot_err worker_shm_open(struct worker_shm *shm, size_t size)
{
    *shm = (struct worker_shm){.fd = -1};
    int fd = memfd_create("pot-worker", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) {
        return err_from_errno(errno);
    }
    /* Sealed against shrinking, no access to a mapping can fail. */
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) != 0) {
        enum pot_err err = err_from_errno(errno);
        (void)close(fd);
        return err;
    }
    shm->fd = fd;
    enum pot_err err = worker_shm_grow(shm, size);
    if (err != POT_OK) {
        worker_shm_close(shm);
    }
    return err;
}

void worker_shm_attach(struct worker_shm *shm, int fd)
{
    *shm = (struct worker_shm){.fd = fd};
}

static void unmap(struct worker_shm *shm)
{
    if (shm->data != NULL) {
        int rc = munmap(shm->data, shm->size);
        POT_ASSERT(rc == 0);
    }
    shm->data = NULL;
    shm->size = 0;
}

enum pot_err worker_shm_map(struct worker_shm *shm, size_t size)
{
    struct stat info;
    if (size == shm->size) {
        return POT_OK;
    }
    if (fstat(shm->fd, &info) != 0) {
        return err_from_errno(errno);
    }
    if (info.st_size < 0 || (uint64_t)info.st_size < size) {
        return POT_ERANGE;
    }
    unmap(shm);
    if (size == 0) {
        return POT_OK;
    }
    void *data =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, shm->fd, 0);
    if (data == MAP_FAILED) {
        return err_from_errno(errno);
    }
    shm->data = data;
    shm->size = size;
    return POT_OK;
}

enum pot_err worker_shm_grow(struct worker_shm *shm, size_t size)
{
    if (size <= shm->size) {
        return POT_OK;
    }
    if (size > INT64_MAX || ftruncate(shm->fd, (off_t)size) != 0) {
        return size > INT64_MAX ? POT_ELIMIT : err_from_errno(errno);
    }
    return worker_shm_map(shm, size);
}

void worker_shm_close(struct worker_shm *shm)
{
    unmap(shm);
    if (shm->fd >= 0) {
        (void)close(shm->fd);
    }
    shm->fd = -1;
}
