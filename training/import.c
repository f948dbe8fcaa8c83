#include "config.h"

#include "training/import.h"

#include "base/file.h"
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

/* An import on its way: files -> source -> table -> out.  A .pds file goes
 * there without a table. */
struct import {
    const struct import_options *options;
    struct import_source source; /* of options->data */
    struct import_table table;
    bool is_image; /* bytes of an IDX file */
    struct buf *out;
    struct import_info *info;
    char *why;
};

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
    struct stat info;
    bool is_file = file_stat(path, &info) == POT_OK && S_ISREG(info.st_mode);
    return import_complain(why, err, "%s: %s", path,
                           err == POT_EFORMAT && is_file
                               ? "damaged gzip data"
                               : file_err_text(err, path));
}

static enum pot_err check_features(const struct import *im, uint32_t features)
{
    const struct dataset *like = im->options->like;
    if (like != NULL && features != like->features) {
        return import_complain(im->why, POT_ESHAPE,
                               "%s: %u features, the training set has %u",
                               im->options->data, features, like->features);
    }
    return POT_OK;
}

/* ---- .pds */

static bool is_pds(const void *data, size_t size)
{
    return size >= 4 && memcmp(data, "PDS1", 4) == 0;
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

static enum pot_err convert_pds(struct import *im)
{
    const struct import_options *options = im->options;
    struct dataset d;
    if (options->labels != NULL) {
        return import_complain(im->why, POT_EFORMAT,
                               "%s: a .pds file holds its labels, %s is not "
                               "wanted",
                               options->data, options->labels);
    }
    if (dataset_view(&d, im->source.data, im->source.size) != POT_OK) {
        return import_complain(im->why, POT_EFORMAT, "%s: a damaged .pds file",
                               options->data);
    }
    enum pot_err err = import_check_names(&d, options->data, im->why);
    if (err == POT_OK) {
        err = check_features(im, d.features);
    }
    if (err == POT_OK && options->like != NULL &&
        !has_same_classes(&d, options->like)) {
        err = import_complain(im->why, POT_ESHAPE,
                              "%s: not the classes of the training set",
                              options->data);
    }
    if (err == POT_OK) {
        buf_append(im->out, im->source.data, im->source.size);
        im->info->scale = d.divisor;
    }
    return err;
}

/* ---- from a table to .pds bytes */

/* What the features are divided by. */
static double choose_scale(const struct import *im)
{
    if (im->options->scale > 0.0) {
        return im->options->scale;
    }
    if (im->options->like != NULL) {
        return im->options->like->divisor;
    }
    double peak = im->is_image ? IDX_SCALE : import_table_peak(&im->table);
    return peak > 1.0 ? peak : 1.0;
}

static enum pot_err check_table(const struct import *im)
{
    const struct import_table *t = &im->table;
    enum pot_err err = check_features(im, t->features);
    if (err == POT_OK && !t->is_regression && t->table.count < 2) {
        err = import_complain(im->why, POT_EFORMAT,
                              "%s: all labels are the same", im->options->data);
    }
    return err;
}

static enum pot_err encode_table(struct import *im)
{
    const struct import_table *t = &im->table;
    const char *file = im->options->data;
    size_t bad = 0;
    enum pot_err err = check_table(im);
    if (err != POT_OK) {
        return err;
    }
    im->info->scale = choose_scale(im);
    err = import_table_encode(im->out, &bad, &im->table, im->info->scale);
    if (err == POT_ERANGE) {
        return import_complain(im->why, err,
                               "%s: row %zu, feature %zu: more than 128 times "
                               "the scale, which is %g",
                               file, bad / t->features + 1,
                               bad % t->features + 1, im->info->scale);
    }
    return err == POT_OK
               ? POT_OK
               : import_complain(im->why, err, "%s: larger than %zu MiB", file,
                                 PDS_BYTES_MAX >> 20);
}

/* ---- CSV */

/* Text is what no other format is. */
static bool is_rest(const void *data, size_t size)
{
    (void)data;
    (void)size;
    return true;
}

static const char *why_no_text(const struct import *im)
{
    const struct import_source *source = &im->source;
    if (source->size > 1 && memcmp(source->data, "PK", 2) == 0) {
        return "a zip archive (.npz?) is not read; save each array with "
               "numpy.save";
    }
    if (im->options->labels == NULL &&
        memchr(source->data, '\0', source->size) != NULL) {
        return "not CSV, IDX, npy or pds";
    }
    return NULL;
}

static enum pot_err convert_csv(struct import *im)
{
    const struct import_options *options = im->options;
    const char *wrong = why_no_text(im);
    if (wrong != NULL) {
        return import_complain(im->why, POT_EFORMAT, "%s: %s", options->data,
                               wrong);
    }
    if (options->labels != NULL) {
        return import_complain(im->why, POT_EFORMAT,
                               "%s: a CSV file has its labels in a column, %s "
                               "is not wanted",
                               options->data, options->labels);
    }
    enum pot_err err = import_csv(&im->table, im->source.data, im->source.size,
                                  options, im->why);
    if (err != POT_OK) {
        return err;
    }
    /* Both at once would be too much memory. */
    free(im->source.data);
    im->source = (struct import_source){0};
    return encode_table(im);
}

/* ---- IDX and npy */

static enum pot_err fill_from_arrays(struct import *im,
                                     const struct import_source *label_source)
{
    const struct import_options *options = im->options;
    struct import_array features;
    struct import_array labels;
    enum pot_err err = import_array_view(
        &features, im->source.data, im->source.size, options->data, im->why);
    if (err == POT_OK) {
        err = import_array_view(&labels, label_source->data, label_source->size,
                                options->labels, im->why);
    }
    if (err != POT_OK) {
        return err;
    }
    im->is_image = features.is_idx && features.element_bytes == 1;
    return import_array_table(&im->table, &features, &labels, options, im->why);
}

static enum pot_err convert_array(struct import *im)
{
    struct import_source labels = {0};
    if (im->options->labels == NULL) {
        return import_complain(im->why, POT_EFORMAT,
                               "%s: its labels are in a file of their own; "
                               "name it",
                               im->options->data);
    }
    enum pot_err err = read_source(&labels, im->options->labels, im->why);
    if (err == POT_OK) {
        err = fill_from_arrays(im, &labels);
    }
    free(labels.data);
    return err == POT_OK ? encode_table(im) : err;
}

/* ---- any of them */

/* The first that the file's bytes are. */
static const struct format {
    const char *name;
    bool (*is_it)(const void *data, size_t size);
    enum pot_err (*convert)(struct import *im);
} formats[] = {
    {"pds", is_pds, convert_pds},
    {"npy", import_array_is_npy, convert_array},
    {"IDX", import_array_is_idx, convert_array},
    {"CSV", is_rest, convert_csv},
};

static enum pot_err convert(struct import *im)
{
    const struct format *format = formats;
    while (!format->is_it(im->source.data, im->source.size)) {
        format++;
    }
    im->info->format = format->name;
    return format->convert(im);
}

enum pot_err import_file(struct buf *out, struct import_info *info,
                         const struct import_options *options,
                         char why[static IMPORT_WHY_SIZE])
{
    struct import im = {
        .options = options, .out = out, .info = info, .why = why};
    struct dataset made;
    *info = (struct import_info){0};
    buf_init(out, PDS_BYTES_MAX);
    why[0] = '\0';
    if (options->scale < 0.0 || !isfinite(options->scale)) {
        return import_complain(why, POT_ERANGE,
                               "the scale must be a positive number");
    }
    enum pot_err err = read_source(&im.source, options->data, why);
    if (err == POT_OK) {
        err = convert(&im);
    }
    if (err == POT_OK && dataset_view(&made, out->data, out->size) != POT_OK) {
        err = import_complain(why, POT_ELIMIT,
                              "%s: more rows or features than a data set holds",
                              options->data);
    }
    import_table_fini(&im.table);
    free(im.source.data);
    return err;
}
