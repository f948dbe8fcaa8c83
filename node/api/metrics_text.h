/* metrics_text: writes the Prometheus text format, 0.0.4. */
#ifndef POT_NODE_API_METRICS_TEXT_H
#define POT_NODE_API_METRICS_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define METRICS_COUNTER "counter"
#define METRICS_GAUGE   "gauge"

/* metrics_family: begins one; its samples follow.  type: one of the
 * two above, or "histogram". */
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

/* A number of a part's statistics: an unsigned integer or a bool. */
struct metrics_field {
    const char *name;
    const char *type;
    const char *help;
    size_t offset;
    size_t size;
    double per; /* told in units of so many */
};

#define METRICS_RATIO(name, type, stats, member, per, help)                    \
    {                                                                          \
        name, type, help, offsetof(struct stats, member),                      \
            sizeof(((const struct stats *)0)->member), per                     \
    }
#define METRICS_FIELD(name, type, stats, member, help)                         \
    METRICS_RATIO(name, type, stats, member, 1, help)

/* metrics_fields: a family of one sample for each. */
void metrics_fields(struct buf *out, const struct metrics_field *fields,
                    size_t count, const void *stats);

/* metrics_table: the same for a whole array of them. */
#define metrics_table(out, fields, stats)                                      \
    metrics_fields(out, fields, sizeof(fields) / sizeof(*(fields)), stats)

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
