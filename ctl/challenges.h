/* challenges: those that the chain knows, asked of the node page by page. */
#ifndef POT_CTL_CHALLENGES_H
#define POT_CTL_CHALLENGES_H

#include <jansson.h>

#include "ctl/ctl.h"

/* challenges_get: all of them, the latest first, or those of a task, which may
 * be NULL.
 *
 * Out:    a fresh array of what GET /v1/challenges tells of each
 * Errors: those of client_get; *out is NULL */
POT_MUST_USE enum exit_code challenges_get(json_t **out, struct ctl *ctl,
                                           const char *task);

/* challenges_meaning: what a status says, and what came of the deposit. */
const char *challenges_meaning(const char *status);

#endif
