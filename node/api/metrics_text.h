/* metrics_text: writes the Prometheus text format, 0.0.4. */
#ifndef POT_NODE_API_METRICS_TEXT_H
#define POT_NODE_API_METRICS_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* metrics_family: begins one; its samples follow.  type: "counter", "gauge",
 * "histogram". */
void metrics_family(struct buf *out, const char *name, const char *type,
                    const char *help);

/* A label's value may hold any text: it is escaped. */
struct metrics_label {
    const char *name;
    const char *value;
};

/* metrics_sample: with up to two labels; their name NULL: none. */
void metrics_sample(struct buf *out, const char *name,
                    struct metrics_label first, struct metrics_label second,
                    double value);

/* metrics_one: a family of one sample without labels. */
void metrics_one(struct buf *out, const char *name, const char *type,
                 const char *help, double value);

#define METRICS_BUCKETS_MAX 16

struct metrics_histogram {
    const double *bounds;                     /* ascending; borrowed */
    size_t bound_count;                       /* <= METRICS_BUCKETS_MAX */
    uint64_t counts[METRICS_BUCKETS_MAX + 1]; /* the last: beyond all */
    uint64_t count;
    double sum;
};

void metrics_observe(struct metrics_histogram *histogram, double value);
void metrics_histogram_write(struct buf *out, const char *name,
                             const char *help,
                             const struct metrics_histogram *histogram);

#endif
