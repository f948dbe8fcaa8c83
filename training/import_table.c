#include "config.h"

#include "training/import_table.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/fixed.h"
#include "base/utf8.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void import_table_init(struct import_table *t, uint32_t features,
                       size_t rows_max, bool is_regression,
                       const struct dataset *like)
{
    *t = (struct import_table){
        .features = features,
        .value_max = rows_max * features,
        .label_max = rows_max,
        .is_regression = like != NULL ? like->classes == 0 : is_regression,
        .has_fixed_classes = like != NULL,
    };
    t->bytes = pot_alloc(t->value_max);
    if (t->is_regression) {
        t->targets = pot_calloc(rows_max, sizeof(*t->targets));
    } else {
        t->classes = pot_calloc(rows_max, sizeof(*t->classes));
    }
    label_table_init(&t->table);
    for (uint32_t i = 0; like != NULL && i < like->classes; i++) {
        char name[LABEL_NAME_MAX + 1];
        uint32_t index;
        dataset_class_name(name, like, i);
        enum pot_err err =
            label_table_add(&index, &t->table, name, strlen(name));
        POT_ASSERT(err == POT_OK && index == i);
    }
}

void import_table_fini(struct import_table *t)
{
    free(t->bytes);
    free(t->values);
    free(t->classes);
    free(t->targets);
    if (t->table.names != NULL) {
        label_table_fini(&t->table);
    }
    *t = (struct import_table){0};
}

static void turn_to_floats(struct import_table *t)
{
    t->values = pot_calloc(t->value_max, sizeof(*t->values));
    for (size_t i = 0; i < t->value_count; i++) {
        t->values[i] = (float)t->bytes[i];
    }
    free(t->bytes);
    t->bytes = NULL;
}

enum pot_err import_table_add_value(struct import_table *t, double value)
{
    POT_ASSERT(t->value_count < t->value_max);
    if (t->bytes != NULL) {
        if (value >= 0.0 && value <= 255.0 && value == floor(value)) {
            t->bytes[t->value_count++] = (uint8_t)value;
            return POT_OK;
        }
        turn_to_floats(t);
    }
    if (!(fabs(value) <= (double)FLT_MAX)) {
        return POT_ERANGE;
    }
    t->values[t->value_count++] = (float)value;
    return POT_OK;
}

enum pot_err import_table_add_class(struct import_table *t, const char *name,
                                    size_t size)
{
    POT_ASSERT(t->label_count < t->label_max);
    uint32_t *index = t->classes + t->label_count;
    if (t->has_fixed_classes) {
        if (!label_table_find(index, &t->table, name, size)) {
            return POT_ENOENT;
        }
    } else {
        uint32_t known = t->table.count;
        enum pot_err err = label_table_add(index, &t->table, name, size);
        if (err != POT_OK) {
            return err;
        }
        if (t->table.count > known && !utf8_is_text(t->table.names[*index])) {
            return POT_EFORMAT;
        }
    }
    t->label_count++;
    return POT_OK;
}

/* Q8.24, to the nearest, halves away from zero.  False: it does not fit. */
static bool to_fixed(int32_t *out, double value)
{
    double scaled = round(value * FIXED_ONE);
    if (!(scaled >= INT32_MIN && scaled <= INT32_MAX)) {
        return false;
    }
    *out = (int32_t)scaled;
    return true;
}

enum pot_err import_table_add_target(struct import_table *t, double value)
{
    POT_ASSERT(t->label_count < t->label_max);
    if (!to_fixed(t->targets + t->label_count, value)) {
        return POT_ERANGE;
    }
    t->label_count++;
    return POT_OK;
}

static double value_at(const struct import_table *t, size_t i)
{
    return t->bytes != NULL ? (double)t->bytes[i] : (double)t->values[i];
}

double import_table_peak(const struct import_table *t)
{
    double peak = 0.0;
    for (size_t i = 0; i < t->value_count; i++) {
        double size = fabs(value_at(t, i));
        peak = size > peak ? size : peak;
    }
    return peak;
}

static void put_u16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static void put_i32(uint8_t *at, int32_t value)
{
    put_u16(at, (uint32_t)value);
    put_u16(at + 2, (uint32_t)value >> 16);
}

static void encode_labels(uint8_t *at, struct import_table *t,
                          const uint32_t *new_of)
{
    for (size_t i = 0; i < t->label_count; i++) {
        if (t->is_regression) {
            put_i32(at + 4 * i, t->targets[i]);
        } else {
            put_u16(at + 2 * i, new_of[t->classes[i]]);
        }
    }
}

static enum pot_err encode_values(uint8_t *at, size_t *bad,
                                  const struct import_table *t, double scale)
{
    for (size_t i = 0; i < t->value_count; i++) {
        int32_t fixed;
        if (!to_fixed(&fixed, value_at(t, i) / scale)) {
            *bad = i;
            return POT_ERANGE;
        }
        put_i32(at + 4 * i, fixed);
    }
    return POT_OK;
}

/* A training set's classes are put in order; a test set's have one. */
static uint32_t *order_classes(struct import_table *t)
{
    uint32_t *new_of = pot_calloc(t->table.count + 1U, sizeof(*new_of));
    for (uint32_t i = 0; i < t->table.count; i++) {
        new_of[i] = i;
    }
    if (!t->has_fixed_classes) {
        label_table_sort(new_of, &t->table);
    }
    return new_of;
}

enum pot_err import_table_encode(struct buf *out, size_t *bad,
                                 struct import_table *t, double scale)
{
    bool is_bytes =
        t->bytes != NULL && scale == floor(scale) && scale <= INT32_MAX;
    uint32_t classes = t->is_regression ? 0 : t->table.count;
    size_t header_size;
    enum pot_err err = POT_OK;
    POT_ASSERT(t->value_count == t->label_count * t->features);
    uint32_t *new_of = order_classes(t);
    uint8_t *header = dataset_header(
        &header_size, t->label_count, t->features, classes,
        is_bytes ? DATASET_U8 : DATASET_Q24, is_bytes ? (uint32_t)scale : 1,
        (const char *const *)t->table.names);
    buf_append(out, header, header_size);
    uint8_t *values = buf_extend(out, t->value_count * (is_bytes ? 1U : 4U));
    if (values != NULL && is_bytes) {
        memcpy(values, t->bytes, t->value_count);
    } else if (values != NULL) {
        err = encode_values(values, bad, t, scale);
    }
    uint8_t *labels =
        buf_extend(out, t->label_count * (t->is_regression ? 4U : 2U));
    if (labels != NULL) {
        encode_labels(labels, t, new_of);
    }
    free(header);
    free(new_of);
    return err == POT_OK && out->is_overflown ? POT_ELIMIT : err;
}
