/* process: potd, as a program that potctl runs: what only it can do with a
 * node's own folder, and the nodes of a test network. */
#ifndef POT_CTL_PROCESS_H
#define POT_CTL_PROCESS_H

#include "base/buf.h"
#include "ctl/cli.h"
#include "ctl/ctl.h"
#include "ctl/testnet.h"

/* process_find_potd: named, or the one beside this program, or the one in
 * PATH; free(). */
POT_MUST_USE enum exit_code process_find_potd(char **out, struct ctl *ctl,
                                              const char *named);

/* process_become_potd: potd with the command's --config and one option more,
 * whose value may be NULL; the exit code is potd's.  It takes our place, or,
 * with --json, what it prints when all went well becomes {"output": [lines]}.
 */
enum exit_code process_become_potd(struct ctl *ctl, const struct cli_args *args,
                                   const char *option, const char *value);

/* process_collect: runs a program, words being it and its arguments (count of
 * them, or up to NULL), and appends all that it says to out, however it
 * ends. */
POT_MUST_USE enum exit_code process_collect(struct buf *out, struct ctl *ctl,
                                            const char *const *words,
                                            size_t count);

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
