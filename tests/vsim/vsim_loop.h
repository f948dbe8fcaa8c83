/* vsim_loop: libuv's loop, timers and work, on the life's time.  uv_run does
 * not wait: it lets all that is due on its loop happen until nothing keeps the
 * loop alive, as a node that ends needs it. */
#ifndef POT_TESTS_VSIM_LOOP_H
#define POT_TESTS_VSIM_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "tests/vsim/vsim_world.h"

struct vsim_end;

struct vsim_loop {
    uint32_t node;
    struct vsim_handle *first;
    size_t requests; /* work, writes, connects whose answer is awaited */
};

/* What stands behind a uv_handle_t. */
struct vsim_handle {
    uv_handle_t *uv;
    struct vsim_loop *loop;
    struct vsim_handle *next;
    struct vsim_handle *before;
    bool is_active;
    bool is_unreferenced;
    bool is_closing;
    struct vsim_event *event; /* a timer's next */
    uint64_t repeat_ms;

    /* vsim_tcp */
    uint16_t port; /* it listens there */
    struct vsim_end *end;
    struct vsim_end *backlog; /* a listener's, until it accepts */
    uv_connect_t *connect;
    uv_alloc_cb alloc;
    uv_read_cb read;
    bool is_reading;
    void (*on_close)(struct vsim_handle *handle);
};

struct vsim_loop *vsim_loop_of(const uv_loop_t *loop);
struct vsim_handle *vsim_handle_of(const uv_handle_t *handle);
struct vsim_handle *vsim_handle_new(uv_loop_t *loop, uv_handle_t *handle,
                                    uv_handle_type type);

#endif
