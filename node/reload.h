/* reload: what a running node reads again after SIGHUP. */
#ifndef POT_NODE_RELOAD_H
#define POT_NODE_RELOAD_H

struct node;

/* reload: the log, its level and format, the peers and the limits of the store.
 * Of other settings that are not what they were at the start the log tells that
 * they need a restart.  A config with faults changes nothing, and is told
 * there too. */
void reload(struct node *node);

#endif
