/* visit: a connection to a node by somebody who knows the protocol: a plain
 * socket, and no more manners than its user has. */
#ifndef POT_TESTS_BYZ_VISIT_H
#define POT_TESTS_BYZ_VISIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/key.h"
#include "p2p/frame.h"

#define PATIENCE_MS 100 /* for an answer */

struct visit {
    int fd;
    struct hash chain;
    struct key *key;
    bool is_in; /* these two are initialised */
    struct frame_cipher sending;
    struct frame_reader receiving;
    struct buf out;
    bool is_over; /* the node closed it */
    uint64_t until_ms;
};

/* visit_init: not connected; visit_fini: closes and frees, the key too. */
void visit_init(struct visit *v, const struct hash *chain, uint64_t visit_ms);
void visit_fini(struct visit *v);

/* visit_dial: a socket to a port of loopback, or -1. */
int visit_dial(uint16_t port);

/* visit_shake_hands: as v->key; false: the node did not want. */
bool visit_shake_hands(struct visit *v);

/* visit_say: a frame, into out; visit_flush: sends what waits there, as far as
 * the node reads it. */
void visit_say(struct visit *v, uint8_t type, const void *body, size_t size);
void visit_say_message(struct visit *v, uint8_t type, const void *message);
void visit_flush(struct visit *v);

/* visit_read: what has come; 0: nothing within wait_ms. */
size_t visit_read(struct visit *v, uint8_t *bytes, size_t size, int wait_ms);

#endif
