/* worker_words: what a worker writes to its standard error, a line of the log
 * each, but for what is too much of it.  Its own limits keep it from writing to
 * the file that ours may be. */
#ifndef POT_NODE_ROUND_WORKER_WORDS_H
#define POT_NODE_ROUND_WORKER_WORDS_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define WORKER_WORDS_LINE_MAX 500 /* a longer line is cut in pieces */

struct worker_words {
    uv_pipe_t pipe; /* its data is the caller's */
    unsigned worker;
    uint64_t minute; /* of which lines were said, */
    unsigned lines;  /* that many */
    uint64_t unsaid; /* and that many not */
    size_t size;
    char line[WORKER_WORDS_LINE_MAX + 1];
    char read_buffer[512];
};

/* worker_words_init: worker is its number; the pipe is for uv_spawn. */
void worker_words_init(struct worker_words *words, uv_loop_t *loop,
                       unsigned worker);

/* worker_words_hear: after uv_spawn.  A failure loses what comes. */
void worker_words_hear(struct worker_words *words);

/* worker_words_end: its process has ended, or never began: what is there still
 * is told, up to a bound, and the pipe closed. */
void worker_words_end(struct worker_words *words, uv_close_cb on_closed);

#endif
