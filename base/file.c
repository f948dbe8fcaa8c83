#include "config.h"

#include "base/file.h"

#include "base/alloc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum pot_err file_stat(const char *path, struct stat *out)
{
    return stat(path, out) == 0 ? POT_OK : err_from_errno(errno);
}

const char *file_err_text(enum pot_err err, const char *path)
{
    struct stat info;
    bool is_folder = err == POT_EFORMAT && file_stat(path, &info) == POT_OK &&
                     S_ISDIR(info.st_mode);
    return is_folder ? "a folder, not a file" : err_text(err);
}

enum pot_err file_read_into(const char *path, void *data, size_t size_max,
                            size_t *size)
{
    enum pot_err err = POT_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return err_from_errno(errno);
    }
    *size = 0;
    for (;;) {
        char one;
        bool is_full = *size == size_max;
        void *at = is_full ? &one : (char *)data + *size;
        ssize_t n = read(fd, at, is_full ? 1 : size_max - *size);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            err = n < 0 ? err_from_errno(errno) : POT_OK;
            break;
        }
        if (is_full) {
            err = POT_ELIMIT;
            break;
        }
        *size += (size_t)n;
    }
    (void)close(fd);
    return err;
}

enum pot_err file_read(char **out, size_t *size, const char *path,
                       size_t size_max)
{
    struct stat info;
    *out = NULL;
    *size = 0;
    enum pot_err err = file_stat(path, &info);
    if (err != POT_OK) {
        return err;
    }
    if (S_ISDIR(info.st_mode)) {
        return POT_EFORMAT;
    }
    if (info.st_size < 0 || (uint64_t)info.st_size > size_max) {
        return POT_ELIMIT;
    }
    char *data = pot_alloc((size_t)info.st_size + 1);
    err = file_read_into(path, data, (size_t)info.st_size, size);
    if (err != POT_OK) {
        free(data);
        return err;
    }
    data[*size] = '\0';
    *out = data;
    return POT_OK;
}

enum pot_err file_write_all(int fd, const void *data, size_t size)
{
    const char *at = data;
    while (size > 0) {
        ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return err_from_errno(errno);
        }
        at += n;
        size -= (size_t)n;
    }
    return POT_OK;
}

enum pot_err file_write_at(int fd, const void *data, size_t size, size_t offset)
{
    const char *at = data;
    while (size > 0) {
        ssize_t n = pwrite(fd, at, size, (off_t)offset);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return errno == EFBIG ? POT_EFULL : err_from_errno(errno);
        }
        at += n;
        size -= (size_t)n;
        offset += (size_t)n;
    }
    return POT_OK;
}

enum pot_err file_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum pot_err err =
        fd >= 0 && fsync(fd) == 0 ? POT_OK : err_from_errno(errno);
    if (fd >= 0) {
        (void)close(fd);
    }
    return err;
}

static enum pot_err sync_folder_of(const char *path)
{
    char *folder = file_folder(path);
    enum pot_err err = file_sync(folder);
    free(folder);
    return err;
}

static enum pot_err open_fresh(int *fd, const char *path, int flag,
                               unsigned mode)
{
    *fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flag, (mode_t)mode);
    return *fd < 0 ? err_from_errno(errno) : POT_OK;
}

/* Syncs and closes; after err, or a failure here, the file goes. */
static enum pot_err close_fresh(int fd, const char *path, enum pot_err err)
{
    if (err == POT_OK && fsync(fd) != 0) {
        err = err_from_errno(errno);
    }
    if (close(fd) != 0 && err == POT_OK) {
        err = err_from_errno(errno);
    }
    if (err != POT_OK) {
        (void)unlink(path);
    }
    return err;
}

enum pot_err file_create(const char *path, unsigned mode, const void *data,
                         size_t size)
{
    int fd;
    enum pot_err err = open_fresh(&fd, path, O_EXCL, mode);
    if (err != POT_OK) {
        return err;
    }
    err = close_fresh(fd, path, file_write_all(fd, data, size));
    return err == POT_OK ? sync_folder_of(path) : err;
}

enum pot_err file_replace_begin(struct file_replacement *out, const char *path,
                                unsigned mode)
{
    size_t size = strlen(path) + sizeof(".new");
    *out = (struct file_replacement){.fd = -1, .path = pot_strdup(path)};
    out->fresh = pot_alloc(size);
    (void)snprintf(out->fresh, size, "%s.new", path);
    enum pot_err err = open_fresh(&out->fd, out->fresh, O_TRUNC, mode);
    if (err != POT_OK) {
        free(out->path);
        free(out->fresh);
    }
    return err;
}

enum pot_err file_replace_end(struct file_replacement *r, enum pot_err err)
{
    err = close_fresh(r->fd, r->fresh, err);
    if (err == POT_OK && rename(r->fresh, r->path) != 0) {
        err = err_from_errno(errno);
        (void)unlink(r->fresh);
    }
    if (err == POT_OK) {
        err = sync_folder_of(r->path);
    }
    free(r->path);
    free(r->fresh);
    return err;
}

enum pot_err file_replace(const char *path, unsigned mode, const void *data,
                          size_t size)
{
    struct file_replacement r;
    enum pot_err err = file_replace_begin(&r, path, mode);
    return err == POT_OK
               ? file_replace_end(&r, file_write_all(r.fd, data, size))
               : err;
}

enum pot_err file_save(const char *path, unsigned mode, const void *data,
                       size_t size)
{
    struct stat info;
    if (lstat(path, &info) != 0 || S_ISREG(info.st_mode)) {
        return file_replace(path, mode, data, size);
    }
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (fd < 0) {
        return err_from_errno(errno);
    }
    enum pot_err err = file_write_all(fd, data, size);
    if (close(fd) != 0 && err == POT_OK) {
        err = err_from_errno(errno);
    }
    return err;
}

enum pot_err file_make_folder(const char *path, unsigned mode)
{
    enum pot_err err = POT_OK;
    char *copy = pot_strdup(path);
    for (char *at = copy + 1; err == POT_OK && *at != '\0'; at++) {
        if (*at == '/') {
            *at = '\0';
            if (mkdir(copy, (mode_t)mode) != 0 && errno != EEXIST) {
                err = err_from_errno(errno);
            }
            *at = '/';
        }
    }
    struct stat info;
    if (err == POT_OK && mkdir(copy, (mode_t)mode) != 0) {
        int failed = errno;
        bool is_there =
            failed == EEXIST && stat(copy, &info) == 0 && S_ISDIR(info.st_mode);
        err = is_there ? POT_OK : err_from_errno(failed);
    }
    free(copy);
    return err;
}

enum pot_err file_remove_folder(const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return errno == ENOENT ? POT_OK : err_from_errno(errno);
    }
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (strcmp(entry->d_name, ".") != 0 &&
            strcmp(entry->d_name, "..") != 0) {
            (void)unlinkat(dirfd(folder), entry->d_name, 0);
        }
    }
    (void)closedir(folder);
    return rmdir(path) == 0 ? POT_OK : err_from_errno(errno);
}

char *file_join(const char *folder, const char *name)
{
    if (name[0] == '/') {
        return pot_strdup(name);
    }
    while (name[0] == '.' && name[1] == '/') {
        name += 1 + strspn(name + 1, "/");
    }
    if (strcmp(name, ".") == 0) {
        return pot_strdup(folder);
    }
    size_t size = strlen(folder) + 1 + strlen(name) + 1;
    char *path = pot_alloc(size);
    (void)snprintf(path, size, "%s/%s", folder, name);
    return path;
}

char *file_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return pot_strdup(".");
    }
    size_t size = slash == path ? 1 : (size_t)(slash - path);
    char *folder = pot_alloc(size + 1);
    memcpy(folder, path, size);
    folder[size] = '\0';
    return folder;
}
