#include "config.h"

#include "ledger/settle_sum.h"

#include "base/alloc.h"
#include "ledger/aggregate.h"
#include "ledger/parts.h"
#include "ledger/submission.h"
#include "proto/blob.h"
#include "proto/partial_sum.h"

#include <stdlib.h>

struct summing {
    const struct settle *s;
    const struct ledger_env *env;
    struct aggregate *aggregate;
    struct buf blob;
    int8_t *room; /* for a payload's elements */
};

static bool get(struct summing *sum, const struct hash *hash)
{
    const struct blobs *blobs = &sum->env->blobs;
    return blobs->get(blobs->context, hash, &sum->blob);
}

static enum round_verdict add_payload(struct summing *sum,
                                      const struct round_submission *submission)
{
    struct gradient gradient;
    const struct settle *s = sum->s;
    if (!get(sum, &submission->payload)) {
        return ROUND_PAYLOAD_MISSING;
    }
    if (ledger_open_payload(&gradient, sum->room, s->task, &s->shape,
                            submission, sum->blob.data,
                            sum->blob.size) != POT_OK) {
        return ROUND_PAYLOAD_MALFORMED;
    }
    aggregate_add(sum->aggregate, &gradient);
    return ROUND_ACCEPTED;
}

/* Whoever handed it in had its sum a moment ago. */
static enum round_verdict add_part(struct summing *sum,
                                   const struct round_part *part)
{
    return get(sum, &part->sum) &&
                   aggregate_add_sum(sum->aggregate, sum->blob.data,
                                     sum->blob.size) == POT_OK
               ? ROUND_ACCEPTED
               : ROUND_PAYLOAD_MISSING;
}

static enum round_verdict add_all(struct summing *sum,
                                  const struct parts *parts)
{
    const struct settle *s = sum->s;
    enum round_verdict verdict = ROUND_ACCEPTED;
    for (size_t i = 0; i < parts->count && verdict == ROUND_ACCEPTED; i++) {
        verdict = add_part(sum, &parts->list[i]);
    }
    for (size_t i = 0; i < s->counted_count && verdict == ROUND_ACCEPTED; i++) {
        if (!parts->are_in[i]) {
            verdict = add_payload(sum, &s->counted[i]);
        }
    }
    return verdict;
}

struct hash *settle_name_counted(const struct settle *s)
{
    struct hash *names = pot_calloc(s->counted_count, sizeof(*names));
    for (size_t i = 0; i < s->counted_count; i++) {
        names[i] = s->counted[i].hash;
    }
    return names;
}

static void choose(struct parts *out, const struct settle *s,
                   const struct ledger_env *env)
{
    static const struct part_source none = {0};
    struct hash *counted = settle_name_counted(s);
    parts_choose(out, aggregate_takes_sums(s->task->spec) ? &env->parts : &none,
                 counted, s->counted_count);
    free(counted);
}

enum round_verdict settle_sum(struct settle *s, const struct ledger_env *env)
{
    struct parts parts;
    struct summing sum = {
        .s = s,
        .env = env,
        .aggregate = aggregate_new(s->task->spec, &s->shape),
        .room = pot_alloc(s->shape.parameter_count),
    };
    choose(&parts, s, env);
    buf_init(&sum.blob, partial_sum_bytes_max(&s->shape));
    enum round_verdict verdict = add_all(&sum, &parts);
    if (verdict == ROUND_ACCEPTED) {
        aggregate_encode(sum.aggregate, &s->aggregate);
        blob_hash(&s->aggregate_hash, s->aggregate.data, s->aggregate.size);
    }
    buf_fini(&sum.blob);
    parts_fini(&parts);
    free(sum.room);
    aggregate_free(sum.aggregate);
    return verdict;
}
