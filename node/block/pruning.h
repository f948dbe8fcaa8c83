/* pruning: of blocks that are older than is configured the header and the
 * certificate stay; the rest goes, in small batches off the loop.
 *
 * Peers are told before a batch goes that its blocks are not held any more:
 * who asks for them later must know.  On the loop. */
#ifndef POT_NODE_BLOCK_PRUNING_H
#define POT_NODE_BLOCK_PRUNING_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"

struct holdings;
struct pruning; /* opaque: node/block/pruning.c */

/* Others that are a little behind must find what they lack. */
#define KEEP_BLOCKS_MIN 32

struct pruning_config {
    uv_loop_t *loop;
    const struct holdings *holdings;
    uint64_t keep_blocks; /* 0: all; otherwise at least KEEP_BLOCKS_MIN */
    void *context;
    /* The lowest block that is offered rose. */
    void (*announce)(void *context);
    void (*failed)(void *context, enum pot_err err);
};

struct pruning *pruning_new(const struct pruning_config *config);

/* pruning_stop: no batch is begun any more.  pruning_free: once the loop has
 * ended. */
void pruning_stop(struct pruning *pruning);
void pruning_free(struct pruning *pruning);

/* pruning_go_on: begins a batch if there is enough to prune, when a block was
 * applied at this height; blocks above `needed` stay all the same. */
void pruning_go_on(struct pruning *pruning, uint64_t height, uint64_t needed);

/* pruning_give_up: prunes all blocks up to the tip, at this height; asked until
 * it says true: none is held. */
bool pruning_give_up(struct pruning *pruning, uint64_t height);

/* pruning_reload: the store was given another tip; none is at work. */
void pruning_reload(struct pruning *pruning);

/* pruning_is_idle: no batch is at work. */
bool pruning_is_idle(const struct pruning *pruning);

/* pruning_lowest: the first height whose block is offered to others. */
uint64_t pruning_lowest(const struct pruning *pruning);

#endif
