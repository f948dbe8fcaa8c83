/* A file remembers its unsynced writes, the newest first, each with what stood
 * there before.  To take writes back is to walk that list: the oldest bytes
 * come last, and stay. */
#include "config.h"

#include "tests/vsim/vsim_disk.h"

#include "base/alloc.h"
#include "base/check.h"
#include "tests/rng.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define SECTOR      512
#define EIO_CHANCE  300 /* permille of the operations of a failing disk */
#define ROT_PLACES  8
#define PATH_SIZE   512
#define KEEP_CHANCE 2 /* of a sector of a torn write: one in so many */

struct undo {
    struct undo *next;
    off_t offset;
    size_t size;
    off_t file_size; /* before */
    bool is_lost;    /* a sync of it failed: no later one reaches it */
    uint8_t old[];
};

struct vsim_file {
    struct vsim_file *next;
    ino_t inode;
    uint32_t number; /* in the order in which the node wrote to them */
    char path[PATH_SIZE];
    struct undo *undo; /* the newest first */
};

static dev_t device;

bool vsim_disk_open(const char *folder)
{
    struct stat info;
    if (stat(folder, &info) != 0) {
        return false;
    }
    device = info.st_dev;
    return true;
}

/* ---- which file this is */

static struct vsim_file *file_new(struct vsim_disk *disk, int fd, ino_t inode)
{
    char link[64];
    struct vsim_file *file = pot_calloc(1, sizeof(*file));
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, file->path, sizeof(file->path) - 1);
    POT_ASSERT(size > 0);
    file->inode = inode;
    file->number = disk->file_count++;
    file->next = disk->files;
    disk->files = file;
    return file;
}

/* NULL: it is no node's. */
static struct vsim_file *file_of(int fd, struct stat *info)
{
    if (vsim.current == VSIM_NOBODY || fd <= STDERR_FILENO ||
        fstat(fd, info) != 0 || !S_ISREG(info->st_mode) ||
        info->st_dev != device) {
        return NULL;
    }
    struct vsim_disk *disk = &vsim.nodes[vsim.current].disk;
    for (struct vsim_file *f = disk->files; f != NULL; f = f->next) {
        if (f->inode == info->st_ino) {
            return f;
        }
    }
    return file_new(disk, fd, info->st_ino);
}

static const char *name_of(const struct vsim_file *file)
{
    const char *slash = strrchr(file->path, '/');
    return slash != NULL ? slash + 1 : file->path;
}

/* LMDB's lock file is memory of processes, and what it says dies with them. */
static bool is_kept(const struct vsim_file *file)
{
    const char *name = name_of(file);
    return strcmp(name, "lock.mdb") != 0 && strcmp(name, "LOCK") != 0;
}

/* Which writes are at risk no more. */
enum undo_which { UNDO_ALL, UNDO_LOST, UNDO_SYNCED };

static bool is_meant(const struct undo *undo, enum undo_which which)
{
    return which == UNDO_ALL || undo->is_lost == (which == UNDO_LOST);
}

/* Written once more since its sync failed, as a whole: the next one reaches
 * that. */
static void forgive_rewritten(struct vsim_file *file)
{
    for (struct undo *lost = file->undo; lost != NULL; lost = lost->next) {
        for (const struct undo *u = file->undo; lost->is_lost && u != lost;
             u = u->next) {
            lost->is_lost =
                u->is_lost || u->offset > lost->offset ||
                u->offset + (off_t)u->size < lost->offset + (off_t)lost->size;
        }
    }
}

static void undo_drop(struct vsim_file *file, enum undo_which which)
{
    struct undo **at = &file->undo;
    while (*at != NULL) {
        struct undo *undo = *at;
        if (is_meant(undo, which)) {
            *at = undo->next;
            free(undo);
        } else {
            at = &undo->next;
        }
    }
}

static void undo_add(struct vsim_file *file, int fd, const struct stat *info,
                     size_t size, off_t offset)
{
    struct undo *undo = pot_calloc(1, sizeof(*undo) + size);
    ssize_t n = pread(fd, undo->old, size, offset);
    (void)n; /* what the file does not hold reads as zero */
    undo->offset = offset;
    undo->size = size;
    undo->file_size = info->st_size;
    undo->next = file->undo;
    file->undo = undo;
}

/* ---- what the disk says */

void vsim_disk_freeze(struct vsim_node *node)
{
    node->disk.is_frozen = true;
    node->disk.crash_ops = 0;
}

/* 0, or why not.  The operation at which a crash comes may be done or not. */
static int refusal(struct vsim_disk *disk, bool is_write)
{
    if (disk->is_frozen) {
        return EIO;
    }
    if (disk->crash_ops > 0 && --disk->crash_ops == 0) {
        vsim_mark(MARK_CRASH_IN_WRITE);
        vsim_disk_freeze(&vsim.nodes[vsim.current]);
        return vsim_chance(500) ? EIO : 0;
    }
    if (disk->mode == DISK_FULL && is_write) {
        vsim_mark(MARK_FULL);
        disk->has_refused = true;
        return ENOSPC;
    }
    if (disk->mode == DISK_FAILING && vsim_chance(EIO_CHANCE)) {
        vsim_mark(MARK_EIO);
        disk->has_refused = true;
        return EIO;
    }
    return 0;
}

static ssize_t real_pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return syscall(SYS_pwrite64, fd, data, size, offset);
}

static ssize_t write_to(struct vsim_file *file, int fd, const struct stat *info,
                        const void *data, size_t size, off_t offset)
{
    struct vsim_disk *disk = &vsim.nodes[vsim.current].disk;
    int why = refusal(disk, true);
    if (why != 0) {
        errno = why;
        return -1;
    }
    if (is_kept(file) && (fcntl(fd, F_GETFL) & O_DSYNC) == 0) {
        undo_add(file, fd, info, size, offset);
    }
    return real_pwrite(fd, data, size, offset);
}

static int sync_file(int fd)
{
    struct stat info;
    struct vsim_file *file = file_of(fd, &info);
    if (file == NULL) {
        return 0; /* folders, and what is no node's */
    }
    int why = refusal(&vsim.nodes[vsim.current].disk, false);
    if (why != 0) {
        for (struct undo *u = file->undo; u != NULL; u = u->next) {
            u->is_lost = true;
        }
        vsim_mark(MARK_FAILED_SYNC);
        errno = why;
        return -1;
    }
    if (!vsim_is_planted(PLANT_NO_SYNC)) {
        forgive_rewritten(file);
        undo_drop(file, UNDO_SYNCED);
    }
    return 0;
}

/* ---- the system's functions */

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    struct stat info;
    struct vsim_file *file = file_of(fd, &info);
    return file != NULL ? write_to(file, fd, &info, data, size, offset)
                        : real_pwrite(fd, data, size, offset);
}

ssize_t write(int fd, const void *data, size_t size)
{
    struct stat info;
    struct vsim_file *file = file_of(fd, &info);
    if (file == NULL) {
        return syscall(SYS_write, fd, data, size);
    }
    off_t offset = lseek(fd, 0, SEEK_CUR);
    ssize_t n = write_to(file, fd, &info, data, size, offset);
    if (n > 0) {
        (void)lseek(fd, offset + n, SEEK_SET);
    }
    return n;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    ssize_t all = 0;
    for (int i = 0; i < count; i++) {
        ssize_t n = write(fd, parts[i].iov_base, parts[i].iov_len);
        if (n < 0) {
            return all > 0 ? all : n;
        }
        all += n;
        if ((size_t)n < parts[i].iov_len) {
            break;
        }
    }
    return all;
}

int fsync(int fd)
{
    return sync_file(fd);
}

int fdatasync(int fd)
{
    return sync_file(fd);
}

/* A file keeps its unsynced writes under its new name; those of the one whose
 * name it takes are nobody's any more. */
static void follow_rename(struct vsim_disk *disk, ino_t moved, ino_t replaced,
                          const char *to)
{
    for (struct vsim_file *f = disk->files; f != NULL; f = f->next) {
        if (f->inode == replaced) {
            undo_drop(f, UNDO_ALL);
            f->path[0] = '\0';
        } else if (f->inode == moved) {
            (void)snprintf(f->path, sizeof(f->path), "%s", to);
        }
    }
}

int rename(const char *from, const char *to)
{
    struct vsim_disk *disk =
        vsim.current != VSIM_NOBODY ? &vsim.nodes[vsim.current].disk : NULL;
    struct stat moved = {.st_ino = 0};
    struct stat replaced = {.st_ino = 0};
    int why = disk != NULL ? refusal(disk, true) : 0;
    if (why != 0) {
        errno = why;
        return -1;
    }
    (void)stat(from, &moved);
    (void)stat(to, &replaced);
    int rc = (int)syscall(SYS_rename, from, to);
    if (rc == 0 && disk != NULL) {
        follow_rename(disk, moved.st_ino, replaced.st_ino, to);
    }
    return rc;
}

/* A write that fails for want of room asks whether there is any. */
int fstatvfs(int fd, struct statvfs *out)
{
    (void)fd;
    memset(out, 0, sizeof(*out));
    out->f_frsize = 4096;
    bool is_full = vsim.current != VSIM_NOBODY &&
                   vsim.nodes[vsim.current].disk.mode == DISK_FULL;
    out->f_bavail = is_full ? 0 : UINT64_C(1) << 24;
    return 0;
}

/* ---- a crash */

/* Of a sector all unsynced writes are kept or none. */
static bool is_sector_kept(uint64_t crash, const struct vsim_file *file,
                           off_t sector)
{
    return rng_mix(crash ^ rng_mix(file->number + 1) ^
                   rng_mix((uint64_t)sector << 20)) %
               KEEP_CHANCE !=
           0;
}

static void take_back(const struct vsim_file *file, int fd,
                      const struct undo *undo, bool is_torn, uint64_t crash)
{
    for (size_t done = 0; done < undo->size;) {
        off_t at = undo->offset + (off_t)done;
        size_t left = SECTOR - (size_t)(at % SECTOR);
        left = left < undo->size - done ? left : undo->size - done;
        if (is_torn && is_sector_kept(crash, file, at / SECTOR)) {
            vsim_mark(MARK_TORN);
        } else {
            ssize_t n = real_pwrite(fd, undo->old + done, left, at);
            POT_ASSERT(n == (ssize_t)left);
        }
        done += left;
    }
}

/* A killed process leaves what it wrote to the system, but for what a sync
 * that failed has lost. */
static bool is_at_risk(const struct undo *undo, enum vsim_crash crash)
{
    return crash != CRASH_PROCESS || undo->is_lost;
}

static void crash_file(struct vsim_file *file, enum vsim_crash crash)
{
    uint64_t number = sim_rng_next(&vsim.rng);
    bool is_torn = crash != CRASH_CLEAN;
    off_t size = -1;
    int fd = open(file->path, O_RDWR | O_CLOEXEC);
    for (const struct undo *u = file->undo; fd >= 0 && u != NULL; u = u->next) {
        if (is_at_risk(u, crash)) {
            vsim_mark(MARK_LOST_WRITE);
            take_back(file, fd, u, is_torn, number);
            size = u->file_size;
        }
    }
    if (size >= 0 && (!is_torn || (number & 1) != 0)) {
        int rc = ftruncate(fd, size);
        POT_ASSERT(rc == 0);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    undo_drop(file, UNDO_LOST);
}

void vsim_disk_crash(struct vsim_node *node, enum vsim_crash crash)
{
    uint32_t before = vsim.current;
    vsim.current = VSIM_NOBODY; /* what is done now is not the node's */
    for (struct vsim_file *f = node->disk.files; f != NULL; f = f->next) {
        if (f->undo != NULL) {
            crash_file(f, crash);
        }
    }
    if (crash != CRASH_PROCESS) {
        vsim_disk_forget(node); /* all that is there is on the disk now */
    }
    vsim.current = before;
    node->disk.is_frozen = false;
    node->disk.crash_ops = 0;
}

void vsim_disk_forget(struct vsim_node *node)
{
    while (node->disk.files != NULL) {
        struct vsim_file *file = node->disk.files;
        node->disk.files = file->next;
        undo_drop(file, UNDO_ALL);
        free(file);
    }
}

bool vsim_disk_is_synced(const struct vsim_node *node, const char *name)
{
    for (const struct vsim_file *f = node->disk.files; f != NULL; f = f->next) {
        if (strcmp(name_of(f), name) == 0 && f->undo != NULL) {
            return false;
        }
    }
    return true;
}

/* ---- bit rot */

bool vsim_disk_rot(const struct vsim_node *node, const char *name)
{
    char path[PATH_SIZE];
    struct stat info;
    (void)snprintf(path, sizeof(path), "%s/%s", node->home, name);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool is_there = fstat(fd, &info) == 0 && info.st_size > 0;
    for (uint64_t i = vsim_below(ROT_PLACES) + 1; is_there && i > 0; i--) {
        uint8_t byte = 0;
        off_t at = (off_t)vsim_below((uint64_t)info.st_size);
        ssize_t n = pread(fd, &byte, 1, at);
        byte ^= (uint8_t)(1U << vsim_below(8));
        n += real_pwrite(fd, &byte, 1, at);
        POT_ASSERT(n == 2);
    }
    (void)close(fd);
    return is_there;
}
