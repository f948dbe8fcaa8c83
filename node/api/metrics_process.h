/* metrics_process: what the kernel says of this process. */
#ifndef POT_NODE_API_METRICS_PROCESS_H
#define POT_NODE_API_METRICS_PROCESS_H

#include "base/buf.h"

/* metrics_process_write: the process_... families. */
void metrics_process_write(struct buf *out);

#endif
