#include "config.h"

#include "node/block/vote_record.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/cpu_time.h"
#include "node/block/decided.h"
#include "node/loop/offload.h"
#include "storage/sign_state.h"
#include "storage/store.h"

#include <stdlib.h>

struct version {
    uint8_t *data; /* NULL: none */
    size_t size;
    uint64_t sequence;
};

struct vote_record {
    struct vote_record_config config;
    struct version current; /* being written */
    struct version next;    /* waits */
    struct decided decided; /* of those that write */
    struct offload offload;
    enum pot_err err;
    bool is_stopped;
};

struct vote_record *vote_record_new(const struct vote_record_config *config)
{
    struct vote_record *record = pot_calloc(1, sizeof(*record));
    record->config = *config;
    return record;
}

void vote_record_stop(struct vote_record *record)
{
    record->is_stopped = true;
}

void vote_record_free(struct vote_record *record)
{
    if (record != NULL) {
        POT_ASSERT(record->current.data == NULL);
        free(record->next.data);
        buf_fini(&record->decided.bytes);
        free(record);
    }
}

static enum pot_err save(struct vote_record *record)
{
    struct buf bytes;
    const struct version *version = &record->current;
    struct store *store = record->config.store;
    buf_init(&bytes, SIGN_STATE_RECORD_MAX);
    buf_append(&bytes, version->data, version->size);
    enum pot_err err = decided_append(&record->decided, &bytes, store);
    if (err != POT_OK) {
        err = store_sync(store);
    }
    if (err == POT_OK) {
        err =
            sign_state_save(record->config.sign_state, bytes.data, bytes.size);
    }
    buf_fini(&bytes);
    return err;
}

static void on_save(void *context)
{
    struct vote_record *record = context;
    enum cpu_part before = cpu_time_enter(CPU_STORAGE);
    record->err = save(record);
    (void)cpu_time_enter(before);
}

static void start(struct vote_record *record);

static void on_saved(void *context)
{
    struct vote_record *record = context;
    uint64_t sequence = record->current.sequence;
    enum pot_err err = record->err;
    free(record->current.data);
    record->current.data = NULL;
    if (record->is_stopped) {
        return;
    }
    if (err == POT_OK && record->next.data != NULL) {
        start(record);
    }
    record->config.saved(record->config.context, sequence, err);
}

static void start(struct vote_record *record)
{
    record->current = record->next;
    record->next.data = NULL;
    offload_start(&record->offload, record->config.loop, on_save, on_saved,
                  record);
}

void vote_record_save(struct vote_record *record, uint8_t *data, size_t size,
                      uint64_t sequence)
{
    free(record->next.data);
    record->next = (struct version){data, size, sequence};
    if (record->current.data == NULL) {
        start(record);
    }
}

bool vote_record_is_idle(const struct vote_record *record)
{
    return record->current.data == NULL;
}

void vote_record_forget(struct vote_record *record)
{
    POT_ASSERT(vote_record_is_idle(record));
    free(record->next.data);
    record->next.data = NULL;
}
