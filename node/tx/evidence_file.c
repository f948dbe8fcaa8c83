#include "config.h"

#include "node/tx/evidence_file.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "proto/codec.h"
#include "proto/wire.pb-c.h"

#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX ((size_t)VALIDATORS_MAX * (EVIDENCE_BYTES_MAX + 256))

void evidence_file_init(struct evidence_file *file, uv_loop_t *loop,
                        const char *path)
{
    *file = (struct evidence_file){.loop = loop};
    file->path = path != NULL ? pot_memdup(path, strlen(path) + 1) : NULL;
}

void evidence_file_fini(struct evidence_file *file)
{
    POT_ASSERT(file->writing == NULL);
    free(file->waiting);
    free(file->path);
}

static Pot__EvidenceList *read_list(const struct evidence_file *file)
{
    char *data;
    size_t size;
    Pot__EvidenceList *list = NULL;
    enum pot_err err = file_read(&data, &size, file->path, FILE_BYTES_MAX);
    if (err == POT_ENOENT) {
        return NULL;
    }
    if (err == POT_OK) {
        err = CODEC_DECODE(&list, pot__evidence_list, data, size);
    }
    free(data);
    if (err != POT_OK) {
        LOG(LOG_WARN, "consensus", "kept evidence cannot be read",
            log_text("file", file->path), log_text("why", err_text(err)));
    }
    return list;
}

Pot__Signed **evidence_file_load(const struct evidence_file *file,
                                 size_t *count)
{
    Pot__EvidenceList *list = file->path != NULL ? read_list(file) : NULL;
    *count = 0;
    if (list == NULL) {
        return NULL;
    }
    Pot__Signed **proofs = list->proofs;
    *count = list->n_proofs;
    list->proofs = NULL;
    list->n_proofs = 0;
    codec_free(list);
    return proofs;
}

static void on_write(void *context)
{
    struct evidence_file *file = context;
    file->err =
        file_replace(file->path, 0600, file->writing, file->writing_size);
}

static void on_written(void *context);

static void write_waiting(struct evidence_file *file)
{
    file->writing = file->waiting;
    file->writing_size = file->waiting_size;
    file->waiting = NULL;
    offload_start(&file->offload, file->loop, on_write, on_written, file);
}

static void on_written(void *context)
{
    struct evidence_file *file = context;
    free(file->writing);
    file->writing = NULL;
    if (file->err != POT_OK) {
        LOG(LOG_WARN, "consensus", "evidence cannot be kept",
            log_text("file", file->path), log_text("why", err_text(file->err)));
    }
    if (file->waiting != NULL) {
        write_waiting(file);
    }
}

void evidence_file_save(struct evidence_file *file, Pot__Signed **list,
                        size_t count)
{
    Pot__EvidenceList message = POT__EVIDENCE_LIST__INIT;
    if (file->path == NULL) {
        return;
    }
    message.proofs = list;
    message.n_proofs = count;
    free(file->waiting);
    file->waiting = codec_encode(&file->waiting_size, &message);
    if (file->writing == NULL) {
        write_waiting(file);
    }
}
