/* The disk and the clock that measures it are the test's. */
#include "config.h"

#include "node/block/vote_record.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/key.h"
#include "storage/sign_state.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SMALL    ((size_t)300)
#define LARGE    ((size_t)100000)
#define QUICK_NS UINT64_C(100000)
#define SLOW_NS  UINT64_C(10000000)

static struct world {
    uv_loop_t loop;
    char folder[32];
    char *path;
    struct sign_state *state;
    struct vote_record *record;
    uint64_t saved; /* the last sequence */
    enum pot_err err;
    uint64_t clock_ns;
    uint64_t sync_ns; /* what one takes */
    bool is_failing;
    pthread_t synced_by;
} w;

uint64_t uv_hrtime(void)
{
    return w.clock_ns;
}

int fdatasync(int fd)
{
    (void)fd;
    w.clock_ns += w.sync_ns;
    w.synced_by = pthread_self();
    return w.is_failing ? -1 : 0;
}

static void on_saved(void *context, uint64_t sequence, enum pot_err err)
{
    (void)context;
    assert_true(sequence > w.saved);
    w.saved = sequence;
    w.err = err;
}

static int open_world(void **state)
{
    const struct hash chain = {{1}};
    struct key *key = key_generate();
    (void)state;
    memset(&w, 0, sizeof(w));
    w.sync_ns = QUICK_NS;
    memcpy(w.folder, "/tmp/test-vote-record-XXXXXX", 29);
    assert_non_null(mkdtemp(w.folder));
    w.path = file_join(w.folder, "sign_state");
    assert_int_equal(sign_state_create(w.path, key_public(key), &chain),
                     POT_OK);
    assert_int_equal(sign_state_open(&w.state, w.path, key_public(key), &chain),
                     POT_OK);
    key_free(key);
    assert_int_equal(uv_loop_init(&w.loop), 0);
    const struct vote_record_config config = {&w.loop, w.state, NULL, on_saved};
    w.record = vote_record_new(&config);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    vote_record_free(w.record);
    assert_int_equal(uv_loop_close(&w.loop), 0);
    sign_state_close(w.state);
    assert_int_equal(unlink(w.path), 0);
    assert_int_equal(rmdir(w.folder), 0);
    free(w.path);
    return 0;
}

static void save(size_t size, uint64_t sequence)
{
    uint8_t *data = pot_calloc(1, size);
    memset(data, (int)sequence, size);
    vote_record_save(w.record, data, size, sequence);
}

/* It is durable, and the sign state's. */
static void assert_saved(size_t size, uint64_t sequence)
{
    size_t found;
    const uint8_t *record = sign_state_record(w.state, &found);
    assert_int_equal(w.saved, sequence);
    assert_int_equal(w.err, POT_OK);
    assert_int_equal(found, size);
    assert_int_equal(record[size - 1], sequence);
    assert_true(vote_record_is_idle(w.record));
}

static void assert_off_the_loop(size_t size, uint64_t sequence)
{
    save(size, sequence);
    assert_int_equal(w.saved, sequence - 1);
    assert_false(vote_record_is_idle(w.record));
    (void)uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_saved(size, sequence);
    assert_false(pthread_equal(w.synced_by, pthread_self()));
}

static void assert_on_the_loop(size_t size, uint64_t sequence)
{
    save(size, sequence);
    assert_saved(size, sequence);
    assert_true(pthread_equal(w.synced_by, pthread_self()));
}

static void a_disk_that_is_not_known_is_waited_for_off_the_loop(void **state)
{
    (void)state;
    assert_off_the_loop(SMALL, 1);
}

static void a_quick_disk_is_waited_for_on_the_loop(void **state)
{
    (void)state;
    assert_off_the_loop(SMALL, 1);
    assert_on_the_loop(SMALL, 2);
    assert_on_the_loop(SMALL, 3);
}

static void a_disk_that_has_become_slow_is_not(void **state)
{
    (void)state;
    assert_off_the_loop(SMALL, 1);
    w.sync_ns = SLOW_NS;
    assert_on_the_loop(SMALL, 2);
    assert_off_the_loop(SMALL, 3);
    w.sync_ns = QUICK_NS;
    assert_off_the_loop(SMALL, 4);
    assert_on_the_loop(SMALL, 5);
}

static void a_large_record_is_written_off_the_loop(void **state)
{
    (void)state;
    assert_off_the_loop(SMALL, 1);
    assert_off_the_loop(LARGE, 2);
}

static void what_waits_is_replaced_by_what_is_newer(void **state)
{
    (void)state;
    save(SMALL, 1);
    save(SMALL, 2);
    save(SMALL, 3);
    (void)uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_saved(SMALL, 3);
}

static void a_sync_that_failed_is_told(void **state)
{
    (void)state;
    assert_off_the_loop(SMALL, 1);
    w.is_failing = true;
    save(SMALL, 2);
    assert_int_equal(w.saved, 2);
    assert_int_equal(w.err, POT_EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_disk_that_is_not_known_is_waited_for_off_the_loop, open_world,
            close_world),
        cmocka_unit_test_setup_teardown(a_quick_disk_is_waited_for_on_the_loop,
                                        open_world, close_world),
        cmocka_unit_test_setup_teardown(a_disk_that_has_become_slow_is_not,
                                        open_world, close_world),
        cmocka_unit_test_setup_teardown(a_large_record_is_written_off_the_loop,
                                        open_world, close_world),
        cmocka_unit_test_setup_teardown(what_waits_is_replaced_by_what_is_newer,
                                        open_world, close_world),
        cmocka_unit_test_setup_teardown(a_sync_that_failed_is_told, open_world,
                                        close_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
