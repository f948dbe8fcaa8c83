#include "config.h"

#include "node/api/metrics_parts.h"

#include "node/api/metrics_text.h"
#include "node/hold/blob_pool.h"
#include "node/hold/holdings.h"
#include "storage/store.h"

static const struct metrics_label no_label = {NULL, NULL};

static void write_memory(struct buf *out, const struct holdings *holdings)
{
    const struct {
        const char *name;
        struct blob_pool *pool;
    } pools[] = {{"payloads", holdings->pool}, {"recent", holdings->recent}};
    metrics_family(out, "pot_memory_blob_bytes", METRICS_GAUGE,
                   "Blobs in memory: payloads that no block has counted yet, "
                   "and what the latest blocks wrote.");
    for (size_t i = 0; i < sizeof(pools) / sizeof(*pools); i++) {
        metrics_sample(out, "pot_memory_blob_bytes",
                       (struct metrics_label){"pool", pools[i].name}, no_label,
                       (double)blob_pool_bytes(pools[i].pool));
    }
}

static void write_health(struct buf *out, const struct store *store)
{
    enum store_health health = store_health(store);
    metrics_one(out, "pot_store_writable", METRICS_GAUGE,
                "Whether blocks and votes can be stored.",
                health == STORE_SOUND ? 1 : 0);
    metrics_family(out, "pot_store_state", METRICS_GAUGE,
                   "What ails the store: 1 for the present state.");
    for (int i = 0; i < STORE_HEALTHS; i++) {
        enum store_health each = (enum store_health)i;
        metrics_sample(out, "pot_store_state",
                       (struct metrics_label){"state", store_health_name(each)},
                       no_label, each == health ? 1 : 0);
    }
}

static const struct metrics_field store_fields[] = {
    METRICS_FIELD("pot_store_map_bytes", METRICS_GAUGE, store_stats, map_bytes,
                  "Size of the memory map."),
    METRICS_FIELD("pot_store_file_bytes", METRICS_GAUGE, store_stats,
                  file_bytes, "Size of the file."),
    METRICS_FIELD("pot_store_disk_free_bytes", METRICS_GAUGE, store_stats,
                  disk_free_bytes, "Free space on its disk."),
    METRICS_FIELD("pot_store_state_keys", METRICS_GAUGE, store_stats,
                  state_keys, "Records of the state."),
    METRICS_FIELD("pot_store_blobs", METRICS_GAUGE, store_stats, blobs,
                  "Blobs held."),
    METRICS_FIELD("pot_store_commits_total", METRICS_COUNTER, store_stats,
                  commits, "Transactions committed to disk."),
    METRICS_FIELD(
        "pot_store_oldest_reader_commits", METRICS_GAUGE, store_stats, lag,
        "Commits since the oldest open snapshot, which keeps their pages."),
    METRICS_FIELD("pot_store_map_grown_total", METRICS_COUNTER, store_stats,
                  grown, "Times that the memory map grew."),
};

static void write_store(struct buf *out, struct store *store)
{
    struct store_stats stats;
    write_health(out, store);
    if (store_stats(store, &stats) != POT_OK) {
        return;
    }
    metrics_one(out, "pot_store_map_used_ratio", METRICS_GAUGE,
                "Part of the memory map in use; the map grows by itself.",
                stats.map_bytes > 0
                    ? (double)stats.used_bytes / (double)stats.map_bytes
                    : 0);
    metrics_table(out, store_fields, &stats);
}

void metrics_store_write(struct buf *out, const struct holdings *holdings)
{
    write_memory(out, holdings);
    write_store(out, holdings->store);
}
