/* arrival: how a node at the genesis gets in when no peer holds the first
 * blocks any more, or when it does not want them: headers, then the state
 * behind one of them.
 *
 *   RESTING --nobody has the next block, somebody has a snapshot--> HEADERS
 *   HEADERS --they reach a snapshot that peers offer--> CHUNKS
 *   CHUNKS --the index, every chunk--> BLOBS --what the state refers to-->
 *   INSTALLING --one commit--> done: block sync goes on above it
 *
 * Nothing is believed: headers are certified from the genesis on, the index
 * must give the certified root, each chunk its digest in the index, each blob
 * its hash (p2p/blob_fetch.h, which drops who sends another and asks the
 * next).  All of it is in the store as it comes, so a restart goes on where it
 * was.  When the snapshot cannot be had any more, a newer one is taken; chunks
 * that did not change count for it.
 *
 * A node with a tip that fell behind what its peers keep does the same with
 * the headers behind its tip, if it may give that up.  It has its old state,
 * and answers from it, until all of the new one is there and was found right.
 *
 * On the loop. */
#ifndef POT_NODE_BLOCK_ARRIVAL_H
#define POT_NODE_BLOCK_ARRIVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"

struct blob_fetch;
struct chain;
struct headers;
struct holdings;
struct sync;
struct arrival; /* opaque: node/block/arrival.c */

struct arrival_config {
    uv_loop_t *loop;
    const struct holdings *holdings;
    struct chain *chain;
    struct blob_fetch *fetch;
    struct sync *blocks;      /* rests meanwhile */
    struct sync *header_sync; /* rests otherwise */
    struct headers *headers;
    /* A snapshot is taken though somebody holds the first blocks. */
    bool is_preferred;
    void *context;
    /* A tip may go for a snapshot ahead.  False: it only says so in the log. */
    bool gives_up;
    /* Nothing may stand on the old tip any more; asked until it says true. */
    bool (*hush)(void *context);
    /* Behind that: no block of the old chain may be held; likewise. */
    bool (*give_up)(void *context);
    /* What was hushed goes on: on a tip that is the snapshot's, or, when it
     * was not installed, on the one that there is. */
    void (*installed)(void *context);
    void (*left)(void *context);
    void (*failed)(void *context, enum pot_err err);
};

struct arrival *arrival_new(const struct arrival_config *config);

/* arrival_stop: before the fetch goes.  arrival_free: once the loop has
 * ended. */
void arrival_stop(struct arrival *arrival);
void arrival_free(struct arrival *arrival);

void arrival_tick(struct arrival *arrival, uint64_t now_ms);

/* arrival_header: what came of one: headers_config's done. */
void arrival_header(struct arrival *arrival, uint64_t height, enum pot_err err);

struct arrival_progress {
    const char *phase; /* "resting", "headers", "chunks", "blobs",
                        * "installing"; static text */
    uint64_t height;   /* of the snapshot; 0: not known yet */
    uint64_t done;     /* headers, chunks, blobs */
    uint64_t all;
    bool is_under_way;
    bool is_stranded; /* nobody holds the next block, there is a tip, and this
                       * node does not give it up by itself */
};

void arrival_progress(const struct arrival *arrival,
                      struct arrival_progress *out);

#endif
