/* torch_trainer: PyTorch's rows a second, by torch_trainer.py in a process of
 * its own.  PyTorch is not needed: without it there are no figures. */
#ifndef POT_TESTS_BENCH_TORCH_TRAINER_H
#define POT_TESTS_BENCH_TORCH_TRAINER_H

#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

struct torch_trainer {
    pid_t pid; /* 0: there is none */
    FILE *to;
    FILE *from;
    char version[64]; /* "not installed" */
};

/* torch_trainer_open: starts Debian's Python, or POT_BENCH_PYTHON, with the
 * model of these layers ("784,128,10") and random data. */
void torch_trainer_open(struct torch_trainer *t, const char *layers,
                        unsigned threads, size_t data_rows);
void torch_trainer_close(struct torch_trainer *t);

/* torch_trainer_run: jobs of so many steps of so many rows each, for so many
 * seconds, one at least; rows a second of its main thread's processor time, 0
 * without PyTorch. */
double torch_trainer_run(struct torch_trainer *t, size_t rows, size_t steps,
                         double seconds);

#endif
