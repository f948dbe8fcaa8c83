/* process: potd processes of a test network. */
#ifndef POT_CTL_PROCESS_H
#define POT_CTL_PROCESS_H

#include "ctl/ctl.h"
#include "ctl/testnet.h"

/* process_find_potd: named, or the one beside this program, or the one in
 * PATH; free(). */
POT_MUST_USE enum exit_code process_find_potd(char **out, struct ctl *ctl,
                                              const char *named);

/* process_start: potd for a node, in a session of its own when it is
 * detached; its stdout and stderr are the file out_fd.  Sets node->pid and
 * writes the pid file. */
POT_MUST_USE enum exit_code process_start(struct ctl *ctl, char *potd,
                                          struct testnet_node *node, int out_fd,
                                          bool is_detached);

/* process_describe_end: a wait status as "stopped with exit code 3". */
#define PROCESS_END_SIZE 64
void process_describe_end(char text[static PROCESS_END_SIZE], int status);

#endif
