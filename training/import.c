#include "config.h"

#include "training/import.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "training/import_array.h"
#include "training/import_complain.h"
#include "training/import_csv.h"
#include "training/import_source.h"
#include "training/import_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PDS_BYTES_MAX ((size_t)DATASET_CHUNKS_MAX * DATASET_CHUNK_BYTES)
#define IDX_SCALE     255.0

static enum pot_err read_source(struct import_source *out, const char *path,
                                char *why)
{
    enum pot_err err = import_source_read(out, path, IMPORT_BYTES_MAX);
    if (err == POT_OK && out->size == 0) {
        return import_complain(why, POT_EFORMAT, "%s: empty", path);
    }
    if (err == POT_OK) {
        return POT_OK;
    }
    return import_complain(why, err, "%s: %s", path,
                           err == POT_EFORMAT ? "damaged gzip data"
                                              : err_text(err));
}

static bool is_pds(const struct import_source *source)
{
    return source->size >= 4 && memcmp(source->data, "PDS1", 4) == 0;
}

static bool has_same_classes(const struct dataset *a, const struct dataset *b)
{
    char name[256];
    char other[256];
    if (a->classes != b->classes) {
        return false;
    }
    for (uint32_t i = 0; i < a->classes; i++) {
        dataset_class_name(name, a, i);
        dataset_class_name(other, b, i);
        if (strcmp(name, other) != 0) {
            return false;
        }
    }
    return true;
}

static enum pot_err check_like(const struct dataset *d,
                               const struct import_options *options, char *why)
{
    const struct dataset *like = options->like;
    if (like != NULL && d->features != like->features) {
        return import_complain(why, POT_ESHAPE,
                               "%s: %u features, the training set has %u",
                               options->data, d->features, like->features);
    }
    if (like != NULL && !has_same_classes(d, like)) {
        return import_complain(why, POT_ESHAPE,
                               "%s: not the classes of the training set",
                               options->data);
    }
    return POT_OK;
}

static enum pot_err take_pds(struct buf *out, struct import_info *info,
                             const struct import_source *source,
                             const struct import_options *options, char *why)
{
    struct dataset d;
    if (options->labels != NULL) {
        return import_complain(why, POT_EFORMAT,
                               "%s: a .pds file holds its labels, %s is not "
                               "wanted",
                               options->data, options->labels);
    }
    if (dataset_open(&d, source->data, source->size) != POT_OK) {
        return import_complain(why, POT_EFORMAT, "%s: a damaged .pds file",
                               options->data);
    }
    enum pot_err err = check_like(&d, options, why);
    if (err == POT_OK) {
        buf_append(out, source->data, source->size);
        info->scale = d.divisor;
    }
    return err;
}

/* What the features are divided by. */
static double choose_scale(const struct import_table *t,
                           const struct import_options *options, bool is_image)
{
    if (options->scale > 0.0) {
        return options->scale;
    }
    if (options->like != NULL) {
        return options->like->divisor;
    }
    double peak = is_image ? IDX_SCALE : import_table_peak(t);
    return peak > 1.0 ? peak : 1.0;
}

static enum pot_err check_table(const struct import_table *t,
                                const struct import_options *options, char *why)
{
    const struct dataset *like = options->like;
    if (like != NULL && like->features != t->features) {
        return import_complain(why, POT_ESHAPE,
                               "%s: %u features, the training set has %u",
                               options->data, t->features, like->features);
    }
    if (!t->is_regression && t->table.count < 2) {
        return import_complain(why, POT_EFORMAT, "%s: all labels are the same",
                               options->data);
    }
    return POT_OK;
}

static enum pot_err encode_table(struct buf *out, struct import_info *info,
                                 struct import_table *t,
                                 const struct import_options *options,
                                 bool is_image, char *why)
{
    size_t bad = 0;
    enum pot_err err = check_table(t, options, why);
    if (err != POT_OK) {
        return err;
    }
    info->scale = choose_scale(t, options, is_image);
    err = import_table_encode(out, &bad, t, info->scale);
    if (err == POT_ERANGE) {
        return import_complain(why, err,
                               "%s: row %zu, feature %zu: more than 128 times "
                               "the scale, which is %g",
                               options->data, bad / t->features + 1,
                               bad % t->features + 1, info->scale);
    }
    return err == POT_OK ? POT_OK
                         : import_complain(why, err, "%s: larger than %zu MiB",
                                           options->data, PDS_BYTES_MAX >> 20);
}

static enum pot_err convert_csv(struct buf *out, struct import_info *info,
                                struct import_source *source,
                                const struct import_options *options, char *why)
{
    struct import_table t = {0};
    enum pot_err err;
    if (source->size > 1 && memcmp(source->data, "PK", 2) == 0) {
        return import_complain(why, POT_EFORMAT,
                               "%s: a zip archive (.npz?) is not read; save "
                               "each array with numpy.save",
                               options->data);
    }
    if (options->labels != NULL) {
        return import_complain(why, POT_EFORMAT,
                               "%s: a CSV file has its labels in a column, %s "
                               "is not wanted",
                               options->data, options->labels);
    }
    if (memchr(source->data, '\0', source->size) != NULL) {
        return import_complain(why, POT_EFORMAT, "%s: not CSV, IDX, npy or pds",
                               options->data);
    }
    err = import_csv(&t, source->data, source->size, options, why);
    if (err == POT_OK) {
        free(source->data);
        *source = (struct import_source){0};
        err = encode_table(out, info, &t, options, false, why);
    }
    import_table_fini(&t);
    return err;
}

static enum pot_err convert_array(struct buf *out, struct import_info *info,
                                  const struct import_source *source,
                                  const struct import_options *options,
                                  char *why)
{
    struct import_source more = {0};
    struct import_table t = {0};
    struct import_array features;
    struct import_array labels;
    enum pot_err err;
    if (options->labels == NULL) {
        return import_complain(why, POT_EFORMAT,
                               "%s: its labels are in a file of their own; "
                               "name it",
                               options->data);
    }
    err = read_source(&more, options->labels, why);
    if (err == POT_OK) {
        err = import_array_open(&features, source->data, source->size,
                                options->data, why);
    }
    if (err == POT_OK) {
        err = import_array_open(&labels, more.data, more.size, options->labels,
                                why);
    }
    if (err == POT_OK) {
        err = import_array_table(&t, &features, &labels, options, why);
    }
    if (err == POT_OK) {
        bool is_image = features.is_idx && features.element_bytes == 1;
        err = encode_table(out, info, &t, options, is_image, why);
    }
    import_table_fini(&t);
    free(more.data);
    return err;
}

static enum pot_err convert(struct buf *out, struct import_info *info,
                            struct import_source *source,
                            const struct import_options *options, char *why)
{
    if (is_pds(source)) {
        info->format = "pds";
        return take_pds(out, info, source, options, why);
    }
    if (import_array_is_npy(source->data, source->size)) {
        info->format = "npy";
        return convert_array(out, info, source, options, why);
    }
    if (import_array_is_idx(source->data, source->size)) {
        info->format = "IDX";
        return convert_array(out, info, source, options, why);
    }
    info->format = "CSV";
    return convert_csv(out, info, source, options, why);
}

enum pot_err import_file(struct buf *out, struct import_info *info,
                         const struct import_options *options,
                         char why[static IMPORT_WHY_SIZE])
{
    struct import_source source = {0};
    struct dataset made;
    *info = (struct import_info){0};
    buf_init(out, PDS_BYTES_MAX);
    why[0] = '\0';
    if (options->scale < 0.0 || !isfinite(options->scale)) {
        return import_complain(why, POT_ERANGE,
                               "the scale must be a positive number");
    }
    enum pot_err err = read_source(&source, options->data, why);
    if (err == POT_OK) {
        err = convert(out, info, &source, options, why);
    }
    if (err == POT_OK && dataset_open(&made, out->data, out->size) != POT_OK) {
        err = import_complain(why, POT_ELIMIT,
                              "%s: more rows or features than a data set holds",
                              options->data);
    }
    if (err == POT_OK) {
        info->rows = made.rows;
        info->features = made.features;
        info->classes = made.classes;
    }
    free(source.data);
    return err;
}
