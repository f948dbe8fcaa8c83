#include "config.h"

#include "proto/aggregation.h"

#include "base/check.h"
#include "base/fixed.h"
#include "base/limits.h"
#include "proto/model.h"

#include <stdbool.h>

/* What a rule asks: its own parameters, and passes over each parameter of
 * the model for n gradients. */
struct needs {
    bool has_trim;
    bool has_faulty;
    bool has_clip;
    uint64_t (*passes)(uint64_t n); /* NULL: it takes them one by one */
};

/* Compare-exchanges of the sorting network in ledger/aggregate_sorted.c. */
static uint64_t sort_passes(uint64_t n)
{
    uint64_t log = fixed_bit_count(n - 1);
    return n * (log * (log + 1) / 4 + 1);
}

static uint64_t pair_passes(uint64_t n)
{
    return n * (n - 1) / 2 + n;
}

static uint64_t clip_passes(uint64_t n)
{
    return 3 * n;
}

static uint64_t centered_passes(uint64_t n)
{
    return sort_passes(n) + 2 * AGGREGATION_CLIP_STEPS * n;
}

static struct needs needs_of(Pot__Aggregation rule)
{
    switch ((uint32_t)rule) {
    case POT__AGGREGATION__AGGREGATION_TRIMMED_MEAN:
        return (struct needs){.has_trim = true, .passes = sort_passes};
    case POT__AGGREGATION__AGGREGATION_MEDIAN:
        return (struct needs){.passes = sort_passes};
    case POT__AGGREGATION__AGGREGATION_KRUM:
    case POT__AGGREGATION__AGGREGATION_MULTI_KRUM:
        return (struct needs){.has_faulty = true, .passes = pair_passes};
    case POT__AGGREGATION__AGGREGATION_CLIPPED_MEAN:
        return (struct needs){.has_clip = true, .passes = clip_passes};
    case POT__AGGREGATION__AGGREGATION_CENTERED_CLIPPING:
        return (struct needs){.has_clip = true, .passes = centered_passes};
    }
    return (struct needs){0};
}

enum aggregation_fault aggregation_check(const Pot__TaskSpec *spec)
{
    struct needs needs = needs_of(spec->aggregation);
    uint32_t trim = spec->trim_share_ppm;
    uint64_t faulty = spec->krum_faulty;
    if (needs.has_trim ? trim == 0 || trim >= PPM_ONE / 2 : trim != 0) {
        return AGGREGATION_TRIM_SHARE;
    }
    if (needs.has_faulty ? spec->min_submissions < 2 * faulty + 3
                         : faulty != 0) {
        return AGGREGATION_KRUM_FAULTY;
    }
    if (spec->clip_norm != 0 && !needs.has_clip) {
        return AGGREGATION_CLIP_NORM;
    }
    return spec->min_submissions <= aggregation_roster_max(spec)
               ? AGGREGATION_SOUND
               : AGGREGATION_TOO_LARGE;
}

uint32_t aggregation_roster_max(const Pot__TaskSpec *spec)
{
    struct model_shape shape;
    struct needs needs = needs_of(spec->aggregation);
    enum pot_err err = model_shape_from_spec(&shape, spec->model);
    POT_ASSERT(err == POT_OK);
    if (needs.passes == NULL) {
        return ROSTER_MAX;
    }
    uint64_t held =
        AGGREGATION_HELD_BYTES_MAX / (2 * (uint64_t)shape.parameter_count);
    uint64_t passes = AGGREGATION_WORK_MAX / shape.parameter_count;
    uint64_t low = 1;
    uint64_t high = ROSTER_MAX;
    while (low < high) { /* the largest that fits lies from low to high */
        uint64_t middle = (low + high + 1) / 2;
        if (middle <= held && needs.passes(middle) <= passes) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return (uint32_t)low;
}
