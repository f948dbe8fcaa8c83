/* api_health: whether the node can do its part, and why not.  The loop's
 * thread only. */
#ifndef POT_NODE_API_API_HEALTH_H
#define POT_NODE_API_API_HEALTH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct api_config;
struct api_history;

/* api_health_warnings: what an operator should know though the node works:
 * a list of sentences, a new reference. */
json_t *api_health_warnings(const struct api_config *config,
                            const struct api_history *history);

/* api_health_add: ready and its reasons, as /readyz has them, and which
 * validators of the next height are in reach. */
void api_health_add(json_t *json, const struct api_config *config,
                    const struct api_history *history);

/* api_health_can_sign: what is signed can be stored first, and pot-signer
 * answers where it has the key. */
bool api_health_can_sign(const struct api_config *config);

/* api_health_connected: validators of the next height in reach, this node
 * among them if it is one; *count is the set's size. */
uint32_t api_health_connected(const struct api_config *config, uint32_t *count);

#endif
