/* brief_work: blocks that are executed in about the time that it takes to
 * have another thread do it (offload_brief): a few transactions that make
 * nobody compute or store anything beside them, and nothing else. */
#ifndef POT_NODE_BLOCK_BRIEF_WORK_H
#define POT_NODE_BLOCK_BRIEF_WORK_H

#include <stdbool.h>

#include "proto/chain.pb-c.h"

struct proposal_request;

bool brief_work_request(const struct proposal_request *request);
bool brief_work_block(const Pot__Block *body);

#endif
