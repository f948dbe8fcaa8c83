/* api_spec: what a task was submitted with, as JSON, by the names of its
 * file's keys.  Any thread. */
#ifndef POT_NODE_API_API_SPEC_H
#define POT_NODE_API_API_SPEC_H

#include <jansson.h>

#include "proto/chain.pb-c.h"

/* api_spec_add: all of it but name and rounds; 0 stands where there is
 * nothing. */
void api_spec_add(json_t *json, const Pot__TaskSpec *spec);

#endif
