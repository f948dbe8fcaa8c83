/* Slot i begins at i * stride; the stride is a header and the longest record,
 * rounded up to a page, so that the slots share no sector.
 *
 * save: write the slot that does not hold the record -> sync -> only now does
 * memory say so.  A failed or torn write leaves the other slot as it was. */
#include "config.h"

#include "storage/slot_file.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/file.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define STRIDE_ALIGN 4096

static const uint8_t magic[8] = "POTSLOT1";

struct slot_file {
    char *path;
    int fd;
    bool is_failed; /* a write failed in a way that no retry mends */
    uint8_t label[SLOT_LABEL_SIZE];
    size_t record_max;
    bool is_torn;      /* slot_file_is_torn */
    unsigned current;  /* the slot that holds the record: 0 or 1 */
    uint64_t sequence; /* its number */
    uint8_t *data;     /* the record */
    size_t size;       /* size <= record_max */
};

static size_t stride_of(size_t record_max)
{
    size_t size = SLOT_HEADER_SIZE + record_max;
    return (size + STRIDE_ALIGN - 1) / STRIDE_ALIGN * STRIDE_ALIGN;
}

static void checksum(struct hash *out, unsigned index, const uint8_t *label,
                     uint64_t sequence, const void *data, size_t size)
{
    struct hasher h;
    hasher_init(&h, "slot");
    hasher_add_u32(&h, index);
    hasher_add(&h, label, SLOT_LABEL_SIZE);
    hasher_add_u64(&h, sequence);
    hasher_add_u64(&h, size);
    hasher_add(&h, data, size);
    hasher_final(&h, out);
}

bool slot_decode(struct slot *out, unsigned index, const void *data,
                 size_t size)
{
    struct bytes_reader r;
    struct hash stored;
    struct hash computed;
    bytes_reader_init(&r, data, size);
    const uint8_t *found_magic = bytes_borrow(&r, sizeof(magic));
    out->label = bytes_borrow(&r, SLOT_LABEL_SIZE);
    out->sequence = bytes_read_u64(&r);
    out->size = bytes_read_u32(&r);
    bytes_read(&r, stored.b, HASH_SIZE);
    out->data = bytes_borrow(&r, out->size);
    if (r.is_short || memcmp(found_magic, magic, sizeof(magic)) != 0) {
        return false;
    }
    checksum(&computed, index, out->label, out->sequence, out->data, out->size);
    return hash_equal(&stored, &computed);
}

void slot_encode(uint8_t header[static SLOT_HEADER_SIZE], unsigned index,
                 const struct slot *slot)
{
    struct bytes_writer w;
    struct hash sum;
    checksum(&sum, index, slot->label, slot->sequence, slot->data, slot->size);
    bytes_writer_init(&w, header, SLOT_HEADER_SIZE);
    bytes_write(&w, magic, sizeof(magic));
    bytes_write(&w, slot->label, SLOT_LABEL_SIZE);
    bytes_write_u64(&w, slot->sequence);
    bytes_write_u32(&w, (uint32_t)slot->size);
    bytes_write(&w, sum.b, HASH_SIZE);
    POT_ASSERT(!w.is_overflown && w.offset == SLOT_HEADER_SIZE);
}

enum pot_err slot_file_create(const char *path,
                              const uint8_t label[static SLOT_LABEL_SIZE],
                              size_t record_max)
{
    POT_ASSERT(record_max <= UINT32_MAX);
    uint8_t header[SLOT_HEADER_SIZE];
    struct stat info;
    enum pot_err err = file_stat(path, &info);
    if (err == POT_OK) {
        return POT_EEXIST;
    }
    if (err != POT_ENOENT) {
        return err;
    }
    struct slot slot = {.label = label, .sequence = 1};
    slot_encode(header, 0, &slot);
    return file_replace(path, 0600, header, sizeof(header));
}

static enum pot_err read_at(int fd, uint8_t *data, size_t size, size_t offset,
                            size_t *count)
{
    *count = 0;
    while (*count < size) {
        ssize_t n =
            pread(fd, data + *count, size - *count, (off_t)(offset + *count));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return err_from_errno(errno);
        }
        if (n == 0) {
            break;
        }
        *count += (size_t)n;
    }
    return POT_OK;
}

/* A slot's header and, if it names a size that may be, its bytes. */
static enum pot_err read_slot(uint8_t *data, size_t *count, int fd,
                              size_t offset, size_t record_max)
{
    struct bytes_reader r;
    size_t more;
    enum pot_err err = read_at(fd, data, SLOT_HEADER_SIZE, offset, count);
    if (err != POT_OK) {
        return err;
    }
    bytes_reader_init(&r, data, *count);
    (void)bytes_borrow(&r, sizeof(magic) + SLOT_LABEL_SIZE + 8);
    size_t size = bytes_read_u32(&r);
    if (*count < SLOT_HEADER_SIZE || size > record_max) {
        return POT_OK;
    }
    err = read_at(fd, data + SLOT_HEADER_SIZE, size, offset + SLOT_HEADER_SIZE,
                  &more);
    *count += more;
    return err;
}

/* Never written. */
static bool is_zero(const uint8_t *data, size_t size)
{
    size_t i = 0;
    while (i < size && data[i] == 0) {
        i++;
    }
    return i == size;
}

/* Takes the record over from a slot if it is valid and newer. */
static enum pot_err load_slot(struct slot_file *file, unsigned index,
                              uint8_t *scratch)
{
    struct slot slot;
    size_t count;
    enum pot_err err =
        read_slot(scratch, &count, file->fd,
                  index * stride_of(file->record_max), file->record_max);
    if (err != POT_OK) {
        return err;
    }
    if (!slot_decode(&slot, index, scratch, count)) {
        file->is_torn |= !is_zero(scratch, count);
        return POT_OK;
    }
    if (memcmp(slot.label, file->label, SLOT_LABEL_SIZE) != 0) {
        return POT_EGUARD;
    }
    if (slot.sequence > file->sequence) {
        free(file->data);
        file->data = pot_memdup(slot.data, slot.size);
        file->size = slot.size;
        file->sequence = slot.sequence;
        file->current = index;
    }
    return POT_OK;
}

static enum pot_err load(struct slot_file *file)
{
    uint8_t *scratch = pot_alloc(stride_of(file->record_max));
    enum pot_err err = load_slot(file, 0, scratch);
    if (err == POT_OK) {
        err = load_slot(file, 1, scratch);
    }
    free(scratch);
    if (err == POT_OK && file->sequence == 0) {
        err = POT_ECORRUPT;
    }
    return err;
}

enum pot_err slot_file_open(struct slot_file **out, const char *path,
                            const uint8_t label[static SLOT_LABEL_SIZE],
                            size_t record_max)
{
    enum pot_err err = POT_OK;
    *out = NULL;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return err_from_errno(errno);
    }
    struct slot_file *file = pot_calloc(1, sizeof(*file));
    *file = (struct slot_file){
        .path = pot_strdup(path), .fd = fd, .record_max = record_max};
    memcpy(file->label, label, SLOT_LABEL_SIZE);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        err = err_from_errno(errno);
        goto out;
    }
    err = load(file);
    if (err == POT_OK && fdatasync(fd) != 0) {
        err = POT_EIO; /* who wrote it may have died before its sync */
    }

out:
    if (err != POT_OK) {
        slot_file_close(file);
        return err;
    }
    *out = file;
    return POT_OK;
}

void slot_file_close(struct slot_file *file)
{
    if (file != NULL) {
        (void)close(file->fd);
        free(file->data);
        free(file->path);
        free(file);
    }
}

bool slot_file_is_torn(const struct slot_file *file)
{
    return file->is_torn;
}

const void *slot_file_record(const struct slot_file *file, size_t *size)
{
    *size = file->size;
    return file->data;
}

enum pot_err slot_file_save(struct slot_file *file, const void *data,
                            size_t size, bool is_synced)
{
    POT_ASSERT(size <= file->record_max);
    if (file->is_failed) {
        return POT_EIO;
    }
    unsigned index = 1 - file->current;
    size_t at = index * stride_of(file->record_max);
    struct slot slot = {
        .label = file->label,
        .sequence = file->sequence + 1,
        .data = data,
        .size = size,
    };
    uint8_t *bytes = pot_alloc(SLOT_HEADER_SIZE + size);
    slot_encode(bytes, index, &slot);
    if (size > 0) {
        memcpy(bytes + SLOT_HEADER_SIZE, data, size);
    }
    enum pot_err err =
        file_write_at(file->fd, bytes, SLOT_HEADER_SIZE + size, at);
    if (err == POT_OK && is_synced && fdatasync(file->fd) != 0) {
        err = POT_EIO;
    }
    if (err != POT_OK) {
        file->is_failed = err != POT_EFULL;
        free(bytes);
        return file->is_failed ? POT_EIO : err;
    }
    memmove(bytes, bytes + SLOT_HEADER_SIZE, size);
    free(file->data);
    file->data = bytes;
    file->size = size;
    file->sequence = slot.sequence;
    file->current = index;
    return POT_OK;
}

static bool holds_same(const struct slot_file *a, const struct slot_file *b)
{
    return a->size == b->size &&
           (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}

enum pot_err slot_file_renew(struct slot_file *file)
{
    struct slot_file *fresh;
    struct slot slot = {
        .label = file->label,
        .sequence = file->sequence + 2, /* above one that may be half there */
        .data = file->data,
        .size = file->size,
    };
    uint8_t *bytes = pot_alloc(SLOT_HEADER_SIZE + file->size);
    slot_encode(bytes, 0, &slot);
    if (file->size > 0) {
        memcpy(bytes + SLOT_HEADER_SIZE, file->data, file->size);
    }
    enum pot_err err =
        file_replace(file->path, 0600, bytes, SLOT_HEADER_SIZE + file->size);
    free(bytes);
    if (err == POT_OK) {
        err = slot_file_open(&fresh, file->path, file->label, file->record_max);
    }
    if (err == POT_OK && !holds_same(fresh, file)) {
        slot_file_close(fresh);
        err = POT_EIO;
    }
    if (err == POT_OK) {
        struct slot_file old = *file;
        *file = *fresh;
        *fresh = old;
        slot_file_close(fresh);
    }
    return err;
}
