#include "config.h"

#include "node/block/vote_record.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/cpu_time.h"
#include "node/loop/offload.h"
#include "storage/sign_state.h"

#include <stdlib.h>

/* A disk that synced the last record so quickly is trusted to be no slower with
 * the next: if that is small too, it is written on the loop.  Two threads need
 * not wake for it, which costs as much as the sync. */
#define QUICK_NS        2000000
#define BRIEF_BYTES_MAX 16384

struct version {
    uint8_t *data; /* NULL: none */
    size_t size;
    uint64_t sequence;
};

struct vote_record {
    struct vote_record_config config;
    struct version current; /* being written */
    struct version next;    /* waits */
    struct offload offload;
    enum pot_err err;
    bool is_quick; /* the last write was */
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
        free(record);
    }
}

static void on_save(void *context)
{
    struct vote_record *record = context;
    enum cpu_part before = cpu_time_enter(CPU_STORAGE);
    uint64_t begun_ns = uv_hrtime();
    record->err = sign_state_save(record->config.sign_state,
                                  record->current.data, record->current.size);
    record->is_quick = uv_hrtime() - begun_ns <= QUICK_NS;
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
    record->config.saved(record->config.context, sequence, err);
    if (err == POT_OK && !record->is_stopped && record->current.data == NULL &&
        record->next.data != NULL) {
        start(record); /* only now: it may be saved before this returns */
    }
}

static void start(struct vote_record *record)
{
    record->current = record->next;
    record->next.data = NULL;
    bool is_brief = record->is_quick && record->current.size <= BRIEF_BYTES_MAX;
    (is_brief ? offload_brief : offload_start)(
        &record->offload, record->config.loop, on_save, on_saved, record);
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
