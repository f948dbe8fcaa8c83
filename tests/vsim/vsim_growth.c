/* Blocks are empty and nothing fails; then the primary stands still, and the
 * others change the view.  What is counted are the frames that leave the nodes
 * (vsim_words), of consensus alone and of all types. */
#include "config.h"

#include "tests/vsim/vsim_growth.h"

#include "base/log.h"
#include "p2p/message.h"
#include "tests/vsim/vsim_check.h"
#include "tests/vsim/vsim_life.h"
#include "tests/vsim/vsim_try.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FIRST_HEIGHT 3
#define BLOCKS       10
#define PRIMARY      0 /* of view 0 */
#define WAIT_US      UINT64_C(60000000)
#define REST_US      UINT64_C(200000) /* less than until the next block */
#define LATENCY_US   1000

struct traffic {
    uint64_t messages;
    uint64_t bytes;
};

struct row {
    struct traffic block;  /* of consensus */
    struct traffic change; /* of consensus, a block whose primary is silent */
    struct traffic others; /* a block, of all other types */
};

static struct traffic consensus(void)
{
    return (struct traffic){vsim.counters.messages[MESSAGE_CONSENSUS],
                            vsim.counters.bytes[MESSAGE_CONSENSUS]};
}

static struct traffic others(void)
{
    struct traffic sum = {0};
    for (unsigned type = 0; type < VSIM_TYPES; type++) {
        if (type != MESSAGE_CONSENSUS) {
            sum.messages += vsim.counters.messages[type];
            sum.bytes += vsim.counters.bytes[type];
        }
    }
    return sum;
}

static struct traffic per_block(const struct traffic *from,
                                const struct traffic *to)
{
    return (struct traffic){(to->messages - from->messages) / BLOCKS,
                            (to->bytes - from->bytes) / BLOCKS};
}

/* Until the block of this height stands, and what it made them say is said. */
static bool reach(uint64_t height)
{
    return vsim_life_run_to(height, vsim.now_us + WAIT_US) &&
           vsim_check_height() == height &&
           vsim_life_run_to(height + 1, vsim.now_us + REST_US);
}

static bool measure(struct row *row)
{
    if (!reach(FIRST_HEIGHT)) {
        return false;
    }
    struct traffic before = consensus();
    struct traffic others_before = others();
    if (!reach(FIRST_HEIGHT + BLOCKS)) {
        return false;
    }
    struct traffic after = consensus();
    struct traffic others_after = others();
    row->block = per_block(&before, &after);
    row->others = per_block(&others_before, &others_after);
    vsim_pause(PRIMARY, 2 * WAIT_US);
    if (!reach(FIRST_HEIGHT + BLOCKS + 1)) {
        return false;
    }
    struct traffic changed = consensus();
    row->change.messages = changed.messages - after.messages;
    row->change.bytes = changed.bytes - after.bytes;
    return true;
}

static bool live(struct row *row, uint32_t n)
{
    char folder[VSIM_PATH_SIZE];
    struct vsim_request request = {.seed = 1, .n = n, .folder = folder};
    vsim_try_path(folder, "growth");
    vsim_world_init(request.seed, false);
    vsim_life_draw(&request);
    vsim.config.faults = 0;
    vsim.config.spare = 0;
    vsim.config.latency_us = LATENCY_US;
    vsim.config.jitter_us = LATENCY_US;
    vsim.config.work_us = LATENCY_US;
    vsim.config.propose_timeout_ms = 2000;
    vsim.config.idle_interval_ms = 500;
    vsim_life_open(&request);
    bool is_fine = measure(row) && !vsim.is_failed;
    vsim_life_close();
    vsim_world_fini();
    return is_fine;
}

static void print_row(uint32_t n, const struct row *row)
{
    double square = (double)n * n;
    printf("| %" PRIu32 " | %" PRIu64 " | %.2f | %" PRIu64 " | %.0f | %" PRIu64
           " | %" PRIu64 " | %.0f | %" PRIu64 " |\n",
           n, row->block.messages, (double)row->block.messages / square,
           row->block.bytes, (double)row->block.bytes / square,
           row->change.messages, row->change.bytes,
           (double)row->change.bytes / square, row->others.bytes);
}

bool vsim_growth_print(void)
{
    static const uint32_t sizes[] = {4, 7, 16, 31};
    if (log_open(LOG_ERROR, LOG_FORMAT_TEXT, NULL) != POT_OK) {
        return false;
    }
    printf("| n | messages a block | / n^2 | bytes a block | / n^2 | messages"
           " with a view change | bytes | / n^2 | other bytes a block"
           " |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        struct row row = {0};
        if (!live(&row, sizes[i])) {
            printf("FAILED: n = %" PRIu32 ": %s\n", sizes[i], vsim.failure);
            return false;
        }
        print_row(sizes[i], &row);
    }
    return true;
}
