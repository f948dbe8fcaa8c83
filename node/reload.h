/* reload: what a running node reads again after SIGHUP. */
#ifndef POT_NODE_RELOAD_H
#define POT_NODE_RELOAD_H

struct node;

/* reload: the log and its level, and the peers.  A config with faults changes
 * nothing, and is told in the log. */
void reload(struct node *node);

#endif
