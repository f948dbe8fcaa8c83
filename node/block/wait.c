#include "config.h"

#include "node/block/wait.h"

#include "base/alloc.h"

#include <stddef.h>
#include <stdlib.h>

struct wait {
    struct waits *waits;
    struct wait *next;
    wait_done_fn *done; /* NULL: nobody is to be told */
    void *context;
    size_t left; /* things not there yet, and one until wait_end */
    bool has_failed;
};

struct hook {
    struct hook *next;
    struct wait *wait;
};

struct wait *wait_begin(struct waits *waits, wait_done_fn *done, void *context)
{
    struct wait *wait = pot_calloc(1, sizeof(*wait));
    wait->waits = waits;
    wait->done = done;
    wait->context = context;
    wait->left = 1;
    wait->next = waits->first;
    waits->first = wait;
    return wait;
}

void wait_on(struct wait *wait, struct hook **hooks)
{
    struct hook *hook = pot_calloc(1, sizeof(*hook));
    hook->wait = wait;
    hook->next = *hooks;
    *hooks = hook;
    wait->left++;
}

void wait_fail(struct wait *wait)
{
    wait->has_failed = true;
}

void wait_end(struct wait *wait)
{
    struct wait **at = &wait->waits->first;
    if (--wait->left > 0) {
        return;
    }
    while (*at != wait) {
        at = &(*at)->next;
    }
    *at = wait->next;
    if (wait->done != NULL) {
        wait->done(wait->context, !wait->has_failed);
    }
    free(wait);
}

void hooks_tell(struct hook **hooks, bool is_held)
{
    struct hook *hook = *hooks;
    *hooks = NULL;
    while (hook != NULL) {
        struct hook *next = hook->next;
        hook->wait->has_failed |= !is_held;
        wait_end(hook->wait);
        free(hook);
        hook = next;
    }
}

void hooks_free(struct hook **hooks)
{
    while (*hooks != NULL) {
        struct hook *next = (*hooks)->next;
        free(*hooks);
        *hooks = next;
    }
}

void waits_forget(struct waits *waits, const void *context)
{
    for (struct wait *wait = waits->first; wait != NULL; wait = wait->next) {
        if (wait->context == context) {
            wait->done = NULL;
        }
    }
}

void waits_cancel(struct waits *waits)
{
    for (struct wait *wait = waits->first; wait != NULL;) {
        wait_done_fn *done = wait->done;
        wait->done = NULL;
        if (done != NULL) {
            done(wait->context, false);
            wait = waits->first; /* the list may have changed */
        } else {
            wait = wait->next;
        }
    }
}

void waits_free(struct waits *waits)
{
    while (waits->first != NULL) {
        struct wait *next = waits->first->next;
        free(waits->first);
        waits->first = next;
    }
}
