/* data_head: what the bytes of a data set say of it and the chain does not: how
 * its features are stored, and its classes' names. */
#ifndef POT_CTL_DATA_HEAD_H
#define POT_CTL_DATA_HEAD_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"
#include "ctl/ctl.h"
#include "proto/dataset.h"

/* data_head_ask: of a published one.  False: the node does not hold it.
 *
 * Out:    head: as of dataset_view_head; bytes: what it borrows from, an empty
 *         buffer made by the call; buf_fini, when false too */
bool data_head_ask(struct dataset *head, struct buf *bytes, struct ctl *ctl,
                   const char *address);

/* data_head_print: features and classes, as fields for people. */
void data_head_print(const struct dataset *head);

/* data_head_names: the classes' names as a JSON array. */
json_t *data_head_names(const struct dataset *head);

/* data_head_feature_type: "bytes", which divisor divides, or "fixed point". */
const char *data_head_feature_type(const struct dataset *head);

#endif
