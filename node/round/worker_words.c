#include "config.h"

#include "node/round/worker_words.h"

#include "base/log.h"

#include <unistd.h>

void worker_words_init(struct worker_words *words, uv_loop_t *loop,
                       unsigned worker)
{
    (void)uv_pipe_init(loop, &words->pipe, 0);
    words->worker = worker;
    words->size = 0;
}

static void tell(struct worker_words *words)
{
    words->line[words->size] = '\0';
    if (words->size > 0) {
        LOG(LOG_WARN, "node", "worker says", log_u64("worker", words->worker),
            log_text("text", words->line));
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

/* The end of a process is often heard of before its last words. */
void worker_words_end(struct worker_words *words, uv_close_cb on_closed)
{
    uv_os_fd_t fd;
    if (uv_fileno((uv_handle_t *)&words->pipe, &fd) == 0) {
        ssize_t n;
        while ((n = read(fd, words->read_buffer, sizeof(words->read_buffer))) >
               0) {
            take(words, words->read_buffer, (size_t)n);
        }
    }
    tell(words);
    uv_close((uv_handle_t *)&words->pipe, on_closed);
}
