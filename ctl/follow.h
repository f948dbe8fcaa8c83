/* follow: a task's rounds as they are committed. */
#ifndef POT_CTL_FOLLOW_H
#define POT_CTL_FOLLOW_H

#include <stdio.h>

#include "ctl/ctl.h"

enum follow_style {
    FOLLOW_JSON,  /* a line of JSON a round, on stdout */
    FOLLOW_LINES, /* a line of text a round */
    FOLLOW_BAR,   /* one line that moves, on a terminal */
    FOLLOW_NONE,
};

/* follow_task: shows the rounds on out from the first one on until the task
 * has ended; a node that cannot be reached for a while is waited for.
 *
 * Out:    *out_task is the object of `task`, json_decref
 * Errors: EXIT_CODE_REJECTED when the task failed or was cancelled, with
 * *out_task too; else *out_task is NULL */
POT_MUST_USE enum exit_code follow_task(json_t **out_task, struct ctl *ctl,
                                        const char *task, FILE *out,
                                        enum follow_style style);

/* follow_bar: "[####....]" of the given inner width. */
#define FOLLOW_BAR_WIDTH 20
void follow_bar(char text[static FOLLOW_BAR_WIDTH + 3], uint64_t done,
                uint64_t all);

/* follow_round: what a round brought: "2 submissions  loss 0.4  accuracy 0.9";
 * the loss of one that counted nothing is "-".  accuracy, test_loss: below 0:
 * not there. */
#define FOLLOW_ROUND_SIZE 128
void follow_round(char text[static FOLLOW_ROUND_SIZE], const json_t *round,
                  double accuracy, double test_loss);

/* follow_eta: "1 h 02 min", "3 min 20 s" or "12 s". */
#define FOLLOW_ETA_SIZE 32
void follow_eta(char text[static FOLLOW_ETA_SIZE], uint64_t ms);

#endif
