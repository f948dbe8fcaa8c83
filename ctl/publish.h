/* publish: data sets on their way to the chain. */
#ifndef POT_CTL_PUBLISH_H
#define POT_CTL_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/limits.h"
#include "ctl/sender.h"
#include "proto/chain.pb-c.h"
#include "proto/dataset.h"

struct publish {
    const uint8_t *data; /* a .pds, borrowed */
    size_t size;
    struct dataset set;
    struct hash address;
    char address_text[HASH_TEXT_SIZE];
    struct hash *chunks;
    size_t chunk_count;
    ProtobufCBinaryData *chunk_fields;
    char name[TX_TEXT_MAX + 1];
    Pot__PublishDataset message; /* borrows from here */
    bool is_known;               /* the chain has it; set by publish_look */
    bool is_held;                /* and the node has its bytes */
};

/* publish_init: views data, which must outlive it; stays where it is.  path:
 * where it comes from; its name is made of that and of suffix.
 * Errors: EXIT_CODE_REJECTED it is no data set.  publish_fini in any case. */
POT_MUST_USE enum exit_code publish_init(struct publish *publish,
                                         struct ctl *ctl, const void *data,
                                         size_t size, const char *path,
                                         const char *suffix);
void publish_fini(struct publish *publish);

/* publish_look: asks the node whether the data set is there. */
POT_MUST_USE enum exit_code publish_look(struct publish *publish,
                                         struct ctl *ctl);

/* publish_fee: what publish_run will cost; 0 if the chain knows it. */
uint64_t publish_fee(const struct publish *publish, struct sender *sender);

/* publish_run: hands the node the chunks it lacks and, if the chain does not
 * know the data set, publishes it and waits for the block.  *out_tx is zero
 * when no transaction was needed. */
POT_MUST_USE enum exit_code publish_run(struct hash *out_tx,
                                        struct publish *publish,
                                        struct sender *sender);

/* publish_name: a data set's name from a file's, without folder and endings,
 * and with suffix; one that the chain takes. */
void publish_name(char out[static TX_TEXT_MAX + 1], const char *path,
                  const char *suffix);

#endif
