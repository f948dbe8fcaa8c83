#include "config.h"

#include "node/hold/dataset_file.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"
#include "proto/dataset.h"
#include "storage/store.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Every chunk of the mapped file has its hash. */
static bool is_whole(const struct dataset_file *file, const uint8_t *data)
{
    for (size_t i = 0; i < file->chunk_count; i++) {
        struct hash hash;
        dataset_chunk_hash(&hash, data + i * (size_t)DATASET_CHUNK_BYTES,
                           dataset_chunk_size(file->size_bytes, i));
        if (!hash_equal(&hash, &file->chunks[i])) {
            return false;
        }
    }
    return true;
}

/* NULL: there is no whole file. */
static void *map(const struct dataset_file *file)
{
    void *data = MAP_FAILED;
    struct stat info;
    int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return NULL;
    }
    if (fstat(fd, &info) == 0 && (uint64_t)info.st_size == file->size_bytes) {
        data = mmap(NULL, file->size_bytes, PROT_READ, MAP_SHARED, fd, 0);
    }
    (void)close(fd);
    if (data == MAP_FAILED) {
        return NULL;
    }
    if (!is_whole(file, data)) {
        dataset_file_unmap(file, data);
        return NULL;
    }
    return data;
}

static enum pot_err write_chunks(const struct dataset_file *file,
                                 struct store *store)
{
    struct file_replacement replacement;
    struct buf chunk;
    enum pot_err err = file_replace_begin(&replacement, file->path, 0640);
    if (err != POT_OK) {
        return err;
    }
    buf_init(&chunk, DATASET_CHUNK_BYTES);
    for (size_t i = 0; err == POT_OK && i < file->chunk_count; i++) {
        err = store_blob_get(store, &file->chunks[i], &chunk);
        if (err == POT_OK) {
            err = file_write_all(replacement.fd, chunk.data, chunk.size);
        }
    }
    buf_fini(&chunk);
    return file_replace_end(&replacement, err);
}

enum pot_err dataset_file_map(void **out, const struct dataset_file *file,
                              struct store *store)
{
    enum pot_err err = POT_OK;
    *out = map(file);
    if (*out == NULL) {
        err = write_chunks(file, store);
        *out = err == POT_OK ? map(file) : NULL;
    }
    return err == POT_OK && *out == NULL ? POT_ECORRUPT : err;
}

void dataset_file_unmap(const struct dataset_file *file, void *data)
{
    if (data != NULL) {
        (void)munmap(data, file->size_bytes);
    }
}
