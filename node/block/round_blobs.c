#include "config.h"

#include "node/block/round_blobs.h"

#include "proto/codec.h"
#include "proto/round.h"

#include <stddef.h>

bool round_blobs_payloads(const Pot__RoundUpdate *update, round_blob_fn *act,
                          void *context)
{
    bool goes_on = true;
    for (size_t i = 0; goes_on && i < update->n_submissions; i++) {
        struct round_submission s;
        if (round_submission_decode(&s, update->submissions[i]) == POT_OK) {
            goes_on = act(context, &s.payload, s.body->payload_bytes);
            round_submission_fini(&s);
        }
    }
    return goes_on;
}

bool round_blobs_aggregate(const Pot__RoundUpdate *update,
                           struct hash *aggregate)
{
    return update->n_submissions > 0 &&
           codec_hash(aggregate, update->aggregate_hash);
}
