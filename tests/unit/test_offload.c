#include "config.h"

#include "node/loop/offload.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#define JOBS 100

struct world {
    uv_loop_t loop;
    struct offload offload;
    pthread_t loop_thread;
    bool was_here; /* the last job */
    size_t runs;
    size_t dones;
};

static int setup(void **state)
{
    static struct world world;
    world = (struct world){.loop_thread = pthread_self()};
    assert_int_equal(uv_loop_init(&world.loop), 0);
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    assert_int_equal(uv_loop_close(&w->loop), 0);
    return 0;
}

static void run(void *context)
{
    struct world *w = context;
    w->was_here = pthread_equal(pthread_self(), w->loop_thread) != 0;
    w->runs++;
}

static void done(void *context)
{
    struct world *w = context;
    assert_true(pthread_equal(pthread_self(), w->loop_thread));
    assert_int_equal(++w->dones, w->runs);
}

static void begin_brief(struct world *w)
{
    offload_brief(&w->offload, &w->loop, run, done, w);
}

static void work_is_done_by_another_thread(void **state)
{
    struct world *w = *state;
    offload_start(&w->offload, &w->loop, run, done, w);
    assert_int_equal(w->dones, 0);
    (void)uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(w->dones, 1);
    assert_false(w->was_here);
}

static void brief_work_is_done_here_and_at_once(void **state)
{
    struct world *w = *state;
    begin_brief(w);
    assert_int_equal(w->dones, 1);
    assert_true(w->was_here);
}

/* The loop's clock stands still until the loop turns. */
static void much_brief_work_leaves_the_loop_its_time(void **state)
{
    struct world *w = *state;
    size_t here = 0;
    for (size_t i = 0; i < JOBS; i++) {
        begin_brief(w);
        if (w->dones != i + 1) {
            break;
        }
        here++;
    }
    assert_in_range(here, 1, 10);
    (void)uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(w->dones, here + 1);
    assert_false(w->was_here);
}

static void brief_work_is_done_here_again_a_millisecond_later(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < JOBS && w->dones == i; i++) {
        begin_brief(w);
    }
    (void)uv_run(&w->loop, UV_RUN_DEFAULT);
    uint64_t before_ms = uv_now(&w->loop);
    while (uv_now(&w->loop) == before_ms) {
        uv_update_time(&w->loop);
    }
    size_t dones = w->dones;
    begin_brief(w);
    assert_int_equal(w->dones, dones + 1);
    assert_true(w->was_here);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(work_is_done_by_another_thread, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(brief_work_is_done_here_and_at_once,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            much_brief_work_leaves_the_loop_its_time, setup, teardown),
        cmocka_unit_test_setup_teardown(
            brief_work_is_done_here_again_a_millisecond_later, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
