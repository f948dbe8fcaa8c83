/* spec: which tasks and descriptions the ledger takes. */
#ifndef POT_LEDGER_SPEC_H
#define POT_LEDGER_SPEC_H

#include <stdbool.h>

#include "ledger/tx.h"
#include "proto/chain.pb-c.h"

/* spec_is_name: 1 to TX_TEXT_MAX bytes of UTF-8 without control
 * characters. */
bool spec_is_name(const char *text);

/* spec_is_dataset: a description that fits together: sizes, number of
 * chunks, and the address is that of the chunks. */
bool spec_is_dataset(const Pot__PublishDataset *dataset);

/* spec_fits_data: TX_ACCEPTED, or how the task and its data sets do not fit:
 * TX_SPEC_DATA, TX_SPEC_LOSS, TX_SPEC_TARGET, TX_SPEC_EVALUATION.  spec has
 * passed ledger_check_spec. */
enum tx_verdict spec_fits_data(const Pot__TaskSpec *spec,
                               const Pot__PublishDataset *train,
                               const Pot__PublishDataset *test);

#endif
