#include "config.h"

#include "node/round/worker_words.h"

#include "base/log.h"

#include <unistd.h>

#define LINES_A_MINUTE 100
#define DRAINED_MAX    ((size_t)64 << 10)

void worker_words_init(struct worker_words *words, uv_loop_t *loop,
                       unsigned worker)
{
    (void)uv_pipe_init(loop, &words->pipe, 0);
    words->worker = worker;
    words->size = 0;
    words->lines = 0;
    words->unsaid = 0;
}

static void tell_unsaid(struct worker_words *words)
{
    if (words->unsaid > 0) {
        LOG(LOG_WARN, "node", "worker says more than is logged",
            log_u64("worker", words->worker), log_u64("lines", words->unsaid));
    }
    words->unsaid = 0;
}

/* Whether the log has room for one more: what a worker writes may not fill the
 * disk. */
static bool is_sayable(struct worker_words *words)
{
    uint64_t minute = uv_now(words->pipe.loop) / 60000;
    if (minute != words->minute) {
        tell_unsaid(words);
        words->minute = minute;
        words->lines = 0;
    }
    return words->lines++ < LINES_A_MINUTE;
}

static void tell(struct worker_words *words)
{
    words->line[words->size] = '\0';
    if (words->size > 0 && is_sayable(words)) {
        LOG(LOG_WARN, "node", "worker says", log_u64("worker", words->worker),
            log_text("text", words->line));
    } else if (words->size > 0) {
        words->unsaid++;
    }
    words->size = 0;
}

static void take(struct worker_words *words, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '\n') {
            tell(words);
        } else if (data[i] != '\0') {
            words->line[words->size++] = data[i];
        }
        if (words->size == WORKER_WORDS_LINE_MAX) {
            tell(words);
        }
    }
}

static struct worker_words *words_of(uv_handle_t *pipe)
{
    return (struct worker_words *)((char *)pipe -
                                   offsetof(struct worker_words, pipe));
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct worker_words *words = words_of(handle);
    (void)suggested;
    *out = uv_buf_init(words->read_buffer, sizeof(words->read_buffer));
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    if (count < 0) {
        (void)uv_read_stop(stream);
    } else {
        take(words_of((uv_handle_t *)stream), buffer->base, (size_t)count);
    }
}

void worker_words_hear(struct worker_words *words)
{
    (void)uv_read_start((uv_stream_t *)&words->pipe, on_alloc, on_read);
}

/* The end of a process is often heard of before its last words.  Others may
 * write there still, without an end. */
static void drain(struct worker_words *words)
{
    uv_os_fd_t fd;
    size_t drained = 0;
    ssize_t n = uv_fileno((uv_handle_t *)&words->pipe, &fd) == 0 ? 1 : 0;
    while (n > 0 && drained < DRAINED_MAX) {
        n = read(fd, words->read_buffer, sizeof(words->read_buffer));
        take(words, words->read_buffer, n > 0 ? (size_t)n : 0);
        drained += n > 0 ? (size_t)n : 0;
    }
}

void worker_words_end(struct worker_words *words, uv_close_cb on_closed)
{
    drain(words);
    tell(words);
    tell_unsaid(words);
    uv_close((uv_handle_t *)&words->pipe, on_closed);
}
