/* verify_store: potd --verify-store. */
#ifndef POT_NODE_VERIFY_STORE_H
#define POT_NODE_VERIFY_STORE_H

#include "base/exit_code.h"

struct node_config;

/* verify_store: prints what it finds.  EXIT_CODE_STORE: the store is bad;
 * EXIT_CODE_FULL, EXIT_CODE_FAILED: the replay had no store of its own to write
 * to, and nothing wrong was found until then. */
enum exit_code verify_store(const struct node_config *config);

#endif
