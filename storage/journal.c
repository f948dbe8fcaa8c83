#include "config.h"

#include "storage/journal.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ALIGN     4096
#define SUM_SIZE  crypto_onetimeauth_BYTES
#define HEAD_SIZE (8 + 4 + SUM_SIZE)

static const uint8_t magic[8] = "POTJRNL1";

struct journal {
    int fd;
    size_t end; /* where the next entry goes */
};

/* As the checksums of records: see storage/store_table.c. */
static void checksum(uint8_t out[static SUM_SIZE],
                     const uint8_t size_bytes[static 4], const void *data,
                     size_t size)
{
    static const uint8_t known[crypto_onetimeauth_KEYBYTES] =
        "pot/1/journal: known to all";
    crypto_onetimeauth_state state;
    (void)crypto_onetimeauth_init(&state, known);
    (void)crypto_onetimeauth_update(&state, size_bytes, 4);
    (void)crypto_onetimeauth_update(&state, data, size);
    (void)crypto_onetimeauth_final(&state, out);
}

static size_t room_of(size_t size)
{
    return (HEAD_SIZE + size + ALIGN - 1) / ALIGN * ALIGN;
}

bool journal_next(const uint8_t *file, size_t file_size, size_t *offset,
                  const uint8_t **data, size_t *size)
{
    uint8_t sum[SUM_SIZE];
    size_t left = *offset <= file_size ? file_size - *offset : 0;
    if (left < HEAD_SIZE) {
        return false;
    }
    const uint8_t *head = file + *offset;
    size_t found = bytes_u32_at(head + sizeof(magic));
    if (memcmp(head, magic, sizeof(magic)) != 0 || found > left - HEAD_SIZE) {
        return false;
    }
    checksum(sum, head + sizeof(magic), head + HEAD_SIZE, found);
    if (memcmp(sum, head + sizeof(magic) + 4, SUM_SIZE) != 0) {
        return false;
    }
    *data = head + HEAD_SIZE;
    *size = found;
    *offset += room_of(found);
    return true;
}

enum pot_err journal_open(struct journal **out, const char *path)
{
    *out = NULL;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        enum pot_err err = file_create(path, 0600, "", 0);
        if (err != POT_OK) {
            return err;
        }
        fd = open(path, O_RDWR | O_CLOEXEC);
    }
    if (fd < 0) {
        return err_from_errno(errno);
    }
    *out = pot_alloc(sizeof(**out));
    **out = (struct journal){.fd = fd};
    return POT_OK;
}

void journal_close(struct journal *journal)
{
    if (journal != NULL) {
        (void)close(journal->fd);
        free(journal);
    }
}

enum pot_err journal_read(const struct journal *journal, uint8_t **out,
                          size_t *size)
{
    struct stat info;
    *out = NULL;
    *size = 0;
    if (fstat(journal->fd, &info) != 0) {
        return err_from_errno(errno);
    }
    size_t most =
        (size_t)info.st_size < JOURNAL_MAX ? (size_t)info.st_size : JOURNAL_MAX;
    uint8_t *data = pot_alloc(most + 1);
    while (*size < most) {
        ssize_t n =
            pread(journal->fd, data + *size, most - *size, (off_t)*size);
        if (n < 0 && errno != EINTR) {
            enum pot_err err = err_from_errno(errno);
            free(data);
            *size = 0;
            return err;
        }
        if (n == 0) {
            break;
        }
        *size += n > 0 ? (size_t)n : 0;
    }
    *out = data;
    return POT_OK;
}

void journal_seek(struct journal *journal, size_t offset)
{
    POT_ASSERT(offset % ALIGN == 0);
    journal->end = offset;
}

size_t journal_end(const struct journal *journal)
{
    return journal->end;
}

enum pot_err journal_append(struct journal *journal, const void *data,
                            size_t size)
{
    size_t room = room_of(size);
    if (size > JOURNAL_MAX || journal->end + room > JOURNAL_MAX) {
        return POT_ELIMIT;
    }
    uint8_t *entry = pot_calloc(room, 1);
    memcpy(entry, magic, sizeof(magic));
    bytes_put_u32(entry + sizeof(magic), (uint32_t)size);
    checksum(entry + sizeof(magic) + 4, entry + sizeof(magic), data, size);
    if (size > 0) {
        memcpy(entry + HEAD_SIZE, data, size);
    }
    enum pot_err err = file_write_at(journal->fd, entry, room, journal->end);
    free(entry);
    journal->end += err == POT_OK ? room : 0;
    return err;
}

enum pot_err journal_sync(struct journal *journal)
{
    return fdatasync(journal->fd) == 0 ? POT_OK : err_from_errno(errno);
}
