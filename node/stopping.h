/* stopping: how a running node comes to its end. */
#ifndef POT_NODE_STOPPING_H
#define POT_NODE_STOPPING_H

struct node;

/* stopping_begin: no part begins anything new; node_parts_free once the loop
 * has run out of work, which it must in time.  Fine for parts that were not
 * opened, and when it was begun before. */
void stopping_begin(struct node *node);

#endif
