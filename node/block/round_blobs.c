#include "config.h"

#include "node/block/round_blobs.h"

#include "base/alloc.h"
#include "ledger/parts.h"
#include "proto/codec.h"
#include "proto/round.h"
#include "proto/signed.h"

#include <stdlib.h>

static bool act_on_payload(const Pot__Signed *submission, round_blob_fn *act,
                           void *context)
{
    struct round_submission s;
    bool goes_on = true;
    if (round_submission_decode(&s, submission) == POT_OK) {
        goes_on = act(context, &s.payload, s.body->payload_bytes);
        round_submission_fini(&s);
    }
    return goes_on;
}

bool round_blobs_payloads(const Pot__RoundUpdate *update, round_blob_fn *act,
                          void *context)
{
    bool goes_on = true;
    for (size_t i = 0; goes_on && i < update->n_submissions; i++) {
        goes_on = act_on_payload(update->submissions[i], act, context);
    }
    return goes_on;
}

static void list_counted(struct hash *out, const Pot__RoundUpdate *update)
{
    for (size_t i = 0; i < update->n_submissions; i++) {
        signed_hash(&out[i], SIGNED_SUBMISSION, update->submissions[i]);
    }
}

bool round_blobs_lone(const Pot__RoundUpdate *update,
                      const struct part_source *source, round_blob_fn *act,
                      void *context)
{
    struct parts parts;
    bool goes_on = true;
    size_t count = update->n_submissions;
    struct hash *counted = pot_calloc(count, sizeof(*counted));
    list_counted(counted, update);
    parts_choose(&parts, source, counted, count);
    for (size_t i = 0; goes_on && i < count; i++) {
        goes_on = parts.are_in[i] ||
                  act_on_payload(update->submissions[i], act, context);
    }
    parts_fini(&parts);
    free(counted);
    return goes_on;
}

bool round_blobs_aggregate(const Pot__RoundUpdate *update,
                           struct hash *aggregate)
{
    return update->n_submissions > 0 &&
           codec_hash(aggregate, update->aggregate_hash);
}
