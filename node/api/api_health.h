/* api_health: whether the node can do its part, and why not. */
#ifndef POT_NODE_API_API_HEALTH_H
#define POT_NODE_API_API_HEALTH_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct node;

/* api_health_reasons: [{"code", "message"}]; empty: ready. */
json_t *api_health_reasons(const struct node *node);

/* api_health_warnings: what an operator should know though the node works:
 * a list of sentences. */
json_t *api_health_warnings(const struct node *node);

/* api_health_connected: validators of the next height in reach, this node
 * among them if it is one; *count is the set's size. */
uint32_t api_health_connected(const struct node *node, uint32_t *count);

#endif
