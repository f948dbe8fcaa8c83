#include "config.h"

#include "tests/sim/sim_work.h"

#include "base/check.h"
#include "proto/block.h"

#include <string.h>

void sim_work_bear(struct sim_world *world, uint32_t client)
{
    struct sim_work *work = world->work;
    POT_ASSERT(work->count < SIM_ITEMS);
    struct sim_item *item = &work->items[work->count];
    item->client = client;
    item->born_ms = world->now_ms;
    for (uint32_t i = 0; i < world->node_count; i++) {
        sim_schedule(world, SIM_ITEM, i, 1 + sim_rng_below(&world->rng, 30))
            ->a = work->count;
    }
    work->count++;
}

bool sim_work_waits(const struct sim_world *world, const struct sim_node *node)
{
    const struct sim_node_work *own = &world->work->nodes[node->index];
    for (size_t i = 0; i < world->work->count; i++) {
        if (own->arrived_ms[i] != 0 && !own->is_taken[i]) {
            return true;
        }
    }
    return false;
}

static bool is_wanted(const struct sim_world *world,
                      const struct sim_node *node, size_t item)
{
    const struct sim_node_work *own = &world->work->nodes[node->index];
    bool is_censored = (node->attacks & ATTACK_CENSOR) != 0 &&
                       world->work->items[item].client == 0;
    return own->arrived_ms[item] != 0 && !own->is_taken[item] && !is_censored;
}

/* An honest one takes the oldest first.  One that starves the chain takes only
 * what came last, so that its blocks are not quite empty. */
size_t sim_work_choose(const struct sim_world *world,
                       const struct sim_node *node, uint64_t *ids)
{
    const struct sim_node_work *own = &world->work->nodes[node->index];
    bool is_starving = (node->attacks & ATTACK_STARVE) != 0;
    size_t max = is_starving ? 1 : SIM_BLOCK_ITEMS;
    size_t count = 0;
    bool is_chosen[SIM_ITEMS] = {false};
    while (count < max) {
        size_t best = SIM_ITEMS;
        for (size_t i = 0; i < world->work->count; i++) {
            if (is_chosen[i] || !is_wanted(world, node, i)) {
                continue;
            }
            if (best == SIM_ITEMS ||
                (own->arrived_ms[i] < own->arrived_ms[best]) != is_starving) {
                best = i;
            }
        }
        if (best == SIM_ITEMS) {
            break;
        }
        is_chosen[best] = true;
        ids[count++] = best;
    }
    return count;
}

static struct block *open_tip(const struct sim_node *node)
{
    struct block *block;
    const struct sim_block *tip = &node->chain[node->height];
    enum pot_err err = block_decode(&block, tip->bytes, tip->size);
    POT_ASSERT(err == POT_OK);
    return block;
}

void sim_work_stored(struct sim_world *world, const struct sim_node *node)
{
    struct sim_work *work = world->work;
    struct block *block = open_tip(node);
    for (size_t i = 0; i < block->body->n_txs; i++) {
        uint64_t id;
        memcpy(&id, block->body->txs[i]->body.data, sizeof(id));
        work->nodes[node->index].is_taken[id] = true;
        if (node->is_honest && work->items[id].taken_ms == 0) {
            work->items[id].taken_ms = world->now_ms;
        }
    }
    block_free(block);
}

/* Every item that was there before the block was made could have been taken by
 * one that was not at least half full. */
bool sim_work_judge(struct sim_world *world, const struct sim_node *node)
{
    struct sim_node_work *own = &world->work->nodes[node->index];
    struct pbft_status status = pbft_status(node->pbft);
    struct block *block = open_tip(node);
    const struct owed_rule rule = {
        .has_room = block->body->n_txs < SIM_BLOCK_ITEMS / 2,
        .view = block->header->view,
        .now_ms = world->now_ms,
        .timeout_ms = world->config.timeout_ms,
        .faults = validator_set_faults(world->config.n),
    };
    block_free(block);
    bool is_overdue = false;
    if (rule.view != status.view || status.primary == status.replica ||
        !rule.has_room) {
        return false;
    }
    for (size_t i = 0; i < world->work->count; i++) {
        if (own->arrived_ms[i] != 0 && !own->is_taken[i] &&
            own->arrived_ms[i] + rule.timeout_ms / 8 < world->now_ms) {
            is_overdue = owed_pass(&own->owed[i], &rule) || is_overdue;
        }
    }
    return is_overdue;
}
