/* mending: what a running node does when its disk or its store fails.
 *
 *   well ----> ailing: the replica is silent, nothing is stored, reads go on,
 *     ^        |       writes by the API are refused, /readyz says why
 *     |        | every 1 s, 2 s ... 32 s: store_cure and, after a failed
 *     |        v write, sign_state_renew, off the loop
 *     +------- cured: the tip is read again, the replica begins as at a start
 *
 * Damaged data and a state that the validators did not agree on are not
 * cured: the node stays readable, and ends with exit code 8.  On the loop. */
#ifndef POT_NODE_MENDING_H
#define POT_NODE_MENDING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "node/loop/loop_timer.h"
#include "node/loop/offload.h"
#include "storage/store.h"

struct node;

struct mending {
    struct node *node;
    void (*stop)(struct node *node); /* it cannot begin again */
    struct loop_timer timer;
    struct offload offload;
    bool is_working;          /* off the loop */
    bool is_tending;          /* it is store_tend's turn */
    enum store_health health; /* as it was told last */
    bool has_failed;          /* a write failed: the sign state is suspect */
    uint64_t wait_ms;         /* until the next try */
    uint64_t due_ms;          /* on the loop's clock */
    uint64_t tended_ms;
    enum pot_err err; /* of the last try */
    char why[256];
};

/* mending_open: begins to watch; stop is called when the node must end.
 * mending_stop: no try is begun any more; fine if it was not opened. */
void mending_open(struct mending *mending, struct node *node,
                  void (*stop)(struct node *node));
void mending_stop(struct mending *mending);

/* mending_is_ailing: the replica is its to wake, once it is cured. */
bool mending_is_ailing(const struct mending *mending);

/* mending_again: what ails it may be over, as its limits were changed: a cure
 * is tried with the next tick, and not when the wait is over.  Fine if it was
 * not opened. */
void mending_again(struct mending *mending);

/* mending_failed: something could not be stored or read.
 *
 * In: what  for people, static */
void mending_failed(struct mending *mending, enum pot_err err,
                    const char *what);

#endif
