/* What a worker writes to its standard error, into a log of its own; there is
 * room for some of it, and time for some. */
#include "config.h"

#include "node/round/worker_words.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "tests/scratch.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define LOG_BYTES_MAX ((size_t)1 << 20)

struct fixture {
    uv_loop_t loop;
    struct worker_words words;
    char *folder;
    char *path; /* the log's */
    int in;     /* a worker would write here */
};

static int set_up(void **state)
{
    struct fixture *f = pot_calloc(1, sizeof(*f));
    int ends[2];
    assert_int_equal(uv_loop_init(&f->loop), 0);
    f->folder = scratch_folder();
    f->path = file_join(f->folder, "log");
    assert_int_equal(uv_pipe(ends, UV_NONBLOCK_PIPE, 0), 0);
    f->in = ends[1];
    assert_int_equal(log_open(LOG_INFO, LOG_FORMAT_TEXT, f->path), POT_OK);
    worker_words_init(&f->words, &f->loop, 0);
    assert_int_equal(uv_pipe_open(&f->words.pipe, ends[0]), 0);
    worker_words_hear(&f->words);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(uv_loop_close(&f->loop), 0);
    (void)close(f->in);
    free(f->path);
    scratch_remove(f->folder);
    free(f);
    return 0;
}

static void end(struct fixture *f)
{
    worker_words_end(&f->words, NULL);
    (void)uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(log_open(LOG_INFO, LOG_FORMAT_TEXT, NULL), POT_OK);
}

static void write_lines(struct fixture *f, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char line[32];
        int size = snprintf(line, sizeof(line), "line %u\n", i);
        assert_int_equal(write(f->in, line, (size_t)size), size);
        (void)uv_run(&f->loop, UV_RUN_NOWAIT);
    }
}

static unsigned lines_with(const struct fixture *f, const char *text)
{
    unsigned count = 0;
    char *log;
    size_t size;
    assert_int_equal(file_read(&log, &size, f->path, LOG_BYTES_MAX), POT_OK);
    for (const char *at = log; (at = strstr(at, text)) != NULL; at++) {
        count++;
    }
    free(log);
    return count;
}

static void each_line_is_one_of_the_log(void **state)
{
    struct fixture *f = *state;
    write_lines(f, 3);
    assert_int_equal(write(f->in, "\n\nlast", 6), 6);
    end(f);
    assert_int_equal(lines_with(f, "worker says"), 4);
    assert_int_equal(lines_with(f, "text=\"line 2\""), 1);
    assert_int_equal(lines_with(f, "text=last"), 1);
}

/* A minute may end meanwhile. */
static void what_is_too_much_is_counted(void **state)
{
    struct fixture *f = *state;
    write_lines(f, 5000);
    end(f);
    assert_in_range(lines_with(f, "worker says worker"), 100, 200);
    assert_in_range(lines_with(f, "worker says more than is logged"), 1, 2);
}

/* A child of the worker's has its standard error still; alarms end a test that
 * does not end, and its child. */
static void the_end_does_not_wait_for_who_writes_without_one(void **state)
{
    struct fixture *f = *state;
    pid_t writer = fork();
    (void)alarm(60); /* each its own */
    if (writer == 0) {
        static const char words[] = "y\ny\ny\ny\n";
        while (write(f->in, words, sizeof(words) - 1) != 0) {
        }
        _exit(1);
    }
    assert_true(writer > 0);
    for (int turn = 0; turn < 100; turn++) {
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    }
    end(f);
    (void)alarm(0);
    assert_int_equal(kill(writer, SIGKILL), 0);
    assert_int_equal(waitpid(writer, NULL, 0), writer);
    assert_in_range(lines_with(f, "worker says worker"), 1, 200);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_line_is_one_of_the_log),
        TEST(what_is_too_much_is_counted),
        TEST(the_end_does_not_wait_for_who_writes_without_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
