/* slashed: the miners whose stake an upheld challenge took.  They are in no
 * list of those who take part. */
#ifndef POT_CTL_SLASHED_H
#define POT_CTL_SLASHED_H

#include <jansson.h>

#include "ctl/ctl.h"

/* slashed_get: of all challenges, the latest first; task: of that one alone, or
 * NULL.
 *
 * Out:    a fresh array of {"miner", "task", "round", "height", "amount",
 *         "reason"}
 * Errors: those of client_get; *out is NULL */
POT_MUST_USE enum exit_code slashed_get(json_t **out, struct ctl *ctl,
                                        const char *task);

/* slashed_print_rows, slashed_print_fields: for people, as a table and as
 * fields; of none nothing. */
void slashed_print_rows(const json_t *list);
void slashed_print_fields(const json_t *list);

#endif
