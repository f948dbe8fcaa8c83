#include "config.h"

#include "p2p/sync_plan.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/limits.h"

#include <stdlib.h>

enum slot_state { SLOT_WANTED, SLOT_ASKED, SLOT_HELD, SLOT_TAKEN };

struct slot {
    enum slot_state state;
    uint64_t peer_id; /* who was asked, or sent it */
    size_t size;      /* of what is held or taken */
    struct buf block; /* while held */
    struct buf certificate;
};

struct sync_plan {
    uint64_t tip;
    struct slot slots[PLAN_WINDOW]; /* of tip < height <= tip + PLAN_WINDOW */
    struct plan_ask asks[PLAN_ASKS_MAX];
    size_t ask_count;
    size_t held_bytes;
    size_t taken_bytes;
};

struct sync_plan *sync_plan_new(uint64_t tip)
{
    struct sync_plan *plan = pot_calloc(1, sizeof(*plan));
    plan->tip = tip;
    return plan;
}

static uint64_t window_end(const struct sync_plan *plan)
{
    return plan->tip > UINT64_MAX - PLAN_WINDOW ? UINT64_MAX
                                                : plan->tip + PLAN_WINDOW;
}

static bool is_in_window(const struct sync_plan *plan, uint64_t height)
{
    return height > plan->tip && height <= window_end(plan);
}

static struct slot *slot_at(struct sync_plan *plan, uint64_t height)
{
    POT_ASSERT(is_in_window(plan, height));
    return &plan->slots[height % PLAN_WINDOW];
}

static enum slot_state state_at(const struct sync_plan *plan, uint64_t height)
{
    return plan->slots[height % PLAN_WINDOW].state;
}

/* Whatever is there goes. */
static void clear(struct sync_plan *plan, struct slot *slot)
{
    if (slot->state == SLOT_HELD) {
        plan->held_bytes -= slot->size;
    } else if (slot->state == SLOT_TAKEN) {
        plan->taken_bytes -= slot->size;
    }
    buf_fini(&slot->block);
    buf_fini(&slot->certificate);
    *slot = (struct slot){.state = SLOT_WANTED};
}

void sync_plan_free(struct sync_plan *plan)
{
    if (plan != NULL) {
        for (size_t i = 0; i < PLAN_WINDOW; i++) {
            clear(plan, &plan->slots[i]);
        }
        free(plan);
    }
}

void sync_plan_set_tip(struct sync_plan *plan, uint64_t tip)
{
    POT_ASSERT(tip >= plan->tip);
    uint64_t steps = tip - plan->tip;
    for (uint64_t i = 1; i <= steps && i <= PLAN_WINDOW; i++) {
        clear(plan, slot_at(plan, plan->tip + i));
    }
    plan->tip = tip;
}

/* Each open question may bring a frame.  The first height that is missing may
 * always be asked for: the others wait for it. */
static bool has_room(const struct sync_plan *plan, uint64_t height)
{
    uint64_t first = plan->tip + 1;
    while (is_in_window(plan, first) && (state_at(plan, first) == SLOT_HELD ||
                                         state_at(plan, first) == SLOT_TAKEN)) {
        first++;
    }
    size_t expected = (plan->ask_count + 1) * (size_t)FRAME_BYTES_MAX;
    return plan->ask_count < PLAN_ASKS_MAX &&
           (first == height || plan->held_bytes + expected <= PLAN_BYTES_MAX);
}

/* The window moves with every block: its end is not asked for block by
 * block. */
static bool is_worth_it(const struct sync_plan *plan, uint64_t height,
                        uint64_t last)
{
    uint64_t end = window_end(plan);
    return last <= end || end - height >= PLAN_RUN_MIN - 1;
}

uint64_t sync_plan_wanted(const struct sync_plan *plan, uint64_t after,
                          uint64_t last)
{
    uint64_t end = window_end(plan) < last ? window_end(plan) : last;
    uint64_t height = after > plan->tip ? after : plan->tip;
    while (height < end) {
        height++;
        if (state_at(plan, height) == SLOT_WANTED) {
            return has_room(plan, height) && is_worth_it(plan, height, last)
                       ? height
                       : 0;
        }
    }
    return 0;
}

const struct plan_ask *sync_plan_ask(struct sync_plan *plan, uint64_t peer_id,
                                     uint64_t from, uint32_t most,
                                     uint64_t now_ms, uint64_t bytes)
{
    POT_ASSERT(plan->ask_count < PLAN_ASKS_MAX && peer_id != 0 && most > 0);
    struct plan_ask *ask = &plan->asks[plan->ask_count++];
    *ask = (struct plan_ask){
        .peer_id = peer_id, .from = from, .asked_ms = now_ms, .bytes = bytes};
    for (uint64_t h = from; ask->count < most && is_in_window(plan, h) &&
                            state_at(plan, h) == SLOT_WANTED;
         h++) {
        struct slot *slot = slot_at(plan, h);
        slot->state = SLOT_ASKED;
        slot->peer_id = peer_id;
        ask->count++;
    }
    POT_ASSERT(ask->count > 0);
    return ask;
}

struct plan_ask *sync_plan_find_ask(struct sync_plan *plan, uint64_t peer_id,
                                    uint64_t from)
{
    for (size_t i = 0; i < plan->ask_count; i++) {
        if (plan->asks[i].peer_id == peer_id && plan->asks[i].from == from) {
            return &plan->asks[i];
        }
    }
    return NULL;
}

static bool is_of_ask(const struct sync_plan *plan, const struct plan_ask *ask,
                      uint64_t height)
{
    return is_in_window(plan, height) && height >= ask->from &&
           height - ask->from < ask->count &&
           state_at(plan, height) == SLOT_ASKED &&
           plan->slots[height % PLAN_WINDOW].peer_id == ask->peer_id;
}

void sync_plan_hold(struct sync_plan *plan, const struct plan_ask *ask,
                    uint64_t height, const struct buf *block,
                    const struct buf *certificate)
{
    if (!is_of_ask(plan, ask, height)) {
        return;
    }
    struct slot *slot = slot_at(plan, height);
    slot->state = SLOT_HELD;
    slot->size = block->size + certificate->size;
    buf_init(&slot->block, block->size);
    buf_append(&slot->block, block->data, block->size);
    buf_init(&slot->certificate, certificate->size);
    buf_append(&slot->certificate, certificate->data, certificate->size);
    plan->held_bytes += slot->size;
}

void sync_plan_close(struct sync_plan *plan, struct plan_ask *ask)
{
    for (uint32_t i = 0; i < ask->count; i++) {
        if (is_of_ask(plan, ask, ask->from + i)) {
            clear(plan, slot_at(plan, ask->from + i));
        }
    }
    *ask = plan->asks[--plan->ask_count];
}

size_t sync_plan_asks(const struct sync_plan *plan)
{
    return plan->ask_count;
}

struct plan_ask *sync_plan_ask_at(struct sync_plan *plan, size_t index)
{
    POT_ASSERT(index < plan->ask_count);
    return &plan->asks[index];
}

bool sync_plan_take(struct sync_plan *plan, uint64_t ahead, size_t bytes,
                    struct plan_item *out)
{
    uint64_t height = plan->tip + 1;
    while (is_in_window(plan, height) && state_at(plan, height) == SLOT_TAKEN) {
        height++;
    }
    if (!is_in_window(plan, height) || height - plan->tip > ahead ||
        state_at(plan, height) != SLOT_HELD) {
        return false;
    }
    struct slot *slot = slot_at(plan, height);
    if (plan->taken_bytes > 0 && plan->taken_bytes + slot->size > bytes) {
        return false;
    }
    *out = (struct plan_item){.height = height,
                              .peer_id = slot->peer_id,
                              .block = slot->block,
                              .certificate = slot->certificate};
    slot->block = (struct buf){.data = NULL};
    slot->certificate = (struct buf){.data = NULL};
    slot->state = SLOT_TAKEN;
    plan->held_bytes -= slot->size;
    plan->taken_bytes += slot->size;
    return true;
}

void plan_item_fini(struct plan_item *item)
{
    buf_fini(&item->block);
    buf_fini(&item->certificate);
}

uint64_t sync_plan_sender(const struct sync_plan *plan, uint64_t height)
{
    bool is_here =
        is_in_window(plan, height) && (state_at(plan, height) == SLOT_HELD ||
                                       state_at(plan, height) == SLOT_TAKEN);
    return is_here ? plan->slots[height % PLAN_WINDOW].peer_id : 0;
}

uint64_t sync_plan_give_back(struct sync_plan *plan, uint64_t height)
{
    if (!is_in_window(plan, height) || state_at(plan, height) != SLOT_TAKEN) {
        return 0;
    }
    uint64_t sender = sync_plan_sender(plan, height);
    for (uint64_t h = height;
         is_in_window(plan, h) && state_at(plan, h) == SLOT_TAKEN; h++) {
        clear(plan, slot_at(plan, h));
    }
    return sender;
}

void sync_plan_cancel(struct sync_plan *plan, uint64_t peer_id)
{
    for (size_t i = plan->ask_count; i > 0; i--) {
        if (plan->asks[i - 1].peer_id == peer_id) {
            sync_plan_close(plan, &plan->asks[i - 1]);
        }
    }
}

void sync_plan_forget(struct sync_plan *plan, uint64_t peer_id)
{
    sync_plan_cancel(plan, peer_id);
    for (size_t i = 0; i < PLAN_WINDOW; i++) {
        struct slot *slot = &plan->slots[i];
        if (slot->state == SLOT_HELD && slot->peer_id == peer_id) {
            clear(plan, slot);
        }
    }
}
