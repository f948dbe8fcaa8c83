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
static bool is_whole(const struct dataset_file *file,
                     const struct dataset_map *map)
{
    const uint8_t *data = map->data;
    if (dataset_chunk_count(map->size) != file->chunk_count) {
        return false;
    }
    for (size_t i = 0; i < file->chunk_count; i++) {
        if (!dataset_is_chunk(&file->chunks[i],
                              data + i * (size_t)DATASET_CHUNK_BYTES,
                              dataset_chunk_size(map->size, i))) {
            return false;
        }
    }
    return true;
}

static void map_file(struct dataset_map *out, int fd)
{
    struct stat info;
    *out = (struct dataset_map){NULL, 0};
    if (fstat(fd, &info) != 0 || info.st_size <= 0) {
        return;
    }
    size_t size = (size_t)info.st_size;
    void *data = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (data != MAP_FAILED) {
        *out = (struct dataset_map){data, size};
    }
}

/* False: there is no whole file. */
static bool map_whole(struct dataset_map *out, const struct dataset_file *file)
{
    int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    map_file(out, fd);
    (void)close(fd);
    if (!is_whole(file, out)) {
        dataset_file_unmap(out);
        return false;
    }
    return true;
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

enum pot_err dataset_file_map(struct dataset_map *out,
                              const struct dataset_file *file,
                              struct store *store)
{
    *out = (struct dataset_map){NULL, 0};
    if (map_whole(out, file)) {
        return POT_OK;
    }
    enum pot_err err = write_chunks(file, store);
    return err == POT_OK && !map_whole(out, file) ? POT_ECORRUPT : err;
}

void dataset_file_unmap(struct dataset_map *map)
{
    if (map->data != NULL) {
        (void)munmap(map->data, map->size);
    }
    *map = (struct dataset_map){NULL, 0};
}
