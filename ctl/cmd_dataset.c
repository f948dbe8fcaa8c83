/* Commands on data sets: import, publish, show. */
#include "config.h"

#include "base/alloc.h"
#include "base/file.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/data_head.h"
#include "ctl/json_text.h"
#include "ctl/publish.h"
#include "ctl/show.h"
#include "training/import.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void add_head(json_t *json, const struct dataset *head)
{
    (void)json_object_set_new(json, "feature_type",
                              json_string(data_head_feature_type(head)));
    (void)json_object_set_new(json, "divisor", json_integer(head->divisor));
    (void)json_object_set_new(json, "class_names", data_head_names(head));
}

/* scale: what the features were divided by just now; 0: they were not. */
static void print_set(struct ctl *ctl, const struct publish *p,
                      const char *file, double scale)
{
    if (!ctl->is_json) {
        show_field("data set", "%s", p->address_text);
        show_field("file", "%s", file);
        show_field("rows", "%" PRIu64, p->set.rows);
        data_head_print(&p->set);
        if (scale > 0) {
            show_field("scale", "%g: features were divided by it", scale);
        }
        show_field("size", "%zu bytes in %zu chunk%s", p->size, p->chunk_count,
                   p->chunk_count == 1 ? "" : "s");
    }
    json_t *json =
        json_pack("{ss so sI sI sI sI sI}", "dataset", p->address_text, "file",
                  json_text(file), "rows", (json_int_t)p->set.rows, "features",
                  (json_int_t)p->set.features, "classes",
                  (json_int_t)p->set.classes, "size_bytes", (json_int_t)p->size,
                  "chunks", (json_int_t)p->chunk_count);
    add_head(json, &p->set);
    if (scale > 0) {
        (void)json_object_set_new(json, "scale", json_real(scale));
    }
    ctl_print_json(ctl, json);
}

/* ---- import */

struct importer {
    struct ctl *ctl;
    const struct cli_args *args;
    const char *labels; /* what is left of --labels, separated by commas */
    double scale;       /* 0: by the usual rule */
    struct buf first;   /* the first file's result; others follow its form */
    struct dataset first_set;
    bool has_first;
};

/* "data/train.csv.gz" -> "data/train.pds" */
static char *pds_path(const char *path)
{
    char name[TX_TEXT_MAX + 1];
    char full[TX_TEXT_MAX + sizeof(".pds")];
    publish_name(name, path, "");
    (void)snprintf(full, sizeof(full), "%s.pds", name);
    if (strchr(path, '/') == NULL) {
        return pot_strdup(full);
    }
    char *folder = file_folder(path);
    char *out = file_join(folder, full);
    free(folder);
    return out;
}

static char *next_labels(struct importer *im)
{
    if (im->labels == NULL || im->labels[0] == '\0') {
        return NULL;
    }
    size_t size = strcspn(im->labels, ",");
    char *out = pot_alloc(size + 1);
    memcpy(out, im->labels, size);
    out[size] = '\0';
    im->labels += size + (im->labels[size] == ',');
    return out;
}

static enum exit_code save(struct importer *im, struct buf *data,
                           const char *out_path, const char *format)
{
    struct publish set;
    enum exit_code rc =
        publish_init(&set, im->ctl, data->data, data->size, out_path, "");
    struct stat info;
    bool is_over = file_stat(out_path, &info) == POT_OK;
    if (rc == EXIT_CODE_DONE) {
        enum pot_err err = file_save(out_path, 0644, data->data, data->size);
        if (err != POT_OK) {
            rc = ctl_fail_err(im->ctl, err, "cannot write", out_path);
        }
    }
    if (rc == EXIT_CODE_DONE) {
        ctl_note(im->ctl, "%s read, %s written%s", format, out_path,
                 is_over ? " over what was there" : "");
        print_set(im->ctl, &set, out_path, im->scale);
    }
    publish_fini(&set);
    return rc;
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat x;
    struct stat y;
    return a != NULL && file_stat(a, &x) == POT_OK &&
           file_stat(b, &y) == POT_OK && S_ISREG(x.st_mode) &&
           x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* What is read is not written over. */
static enum exit_code check_out(struct ctl *ctl,
                                const struct import_options *options,
                                const char *out_path)
{
    if (!is_same_file(options->data, out_path) &&
        !is_same_file(options->labels, out_path)) {
        return EXIT_CODE_DONE;
    }
    return ctl_fail(ctl, EXIT_CODE_USAGE,
                    "%s is to be read, and would be written over; name another"
                    " file with --out",
                    out_path);
}

/* What is wrong in a file is another thing than that it is not there.  NULL:
 * there is none. */
static enum exit_code check_in(struct ctl *ctl, const char *path)
{
    struct stat info;
    enum pot_err err = path != NULL ? file_stat(path, &info) : POT_OK;
    if (path == NULL ||
        (err == POT_OK && !S_ISDIR(info.st_mode) && access(path, R_OK) == 0)) {
        return EXIT_CODE_DONE;
    }
    if (err == POT_OK) {
        err = S_ISDIR(info.st_mode) ? POT_EFORMAT : err_from_errno(errno);
    }
    return ctl_fail_read(ctl, err, path);
}

static enum exit_code import_one(struct importer *im, const char *path)
{
    char why[IMPORT_WHY_SIZE] = "";
    struct buf data;
    struct import_info info;
    char *labels = next_labels(im);
    struct import_options options = {
        .data = path,
        .labels = labels,
        .label = cli_value(im->args, "label"),
        .is_regression = cli_value(im->args, "regression") != NULL,
        .scale = im->scale,
        .like = im->has_first ? &im->first_set : NULL,
    };
    const char *out = cli_value(im->args, "out");
    char *out_path = out != NULL ? pot_strdup(out) : pds_path(path);
    enum exit_code rc = check_out(im->ctl, &options, out_path);
    rc = rc == EXIT_CODE_DONE ? check_in(im->ctl, path) : rc;
    rc = rc == EXIT_CODE_DONE ? check_in(im->ctl, labels) : rc;
    buf_init(&data, 0);
    if (rc == EXIT_CODE_DONE &&
        import_file(&data, &info, &options, why) != POT_OK) {
        rc = ctl_fail(im->ctl, EXIT_CODE_REJECTED, "%s", why);
    }
    if (rc == EXIT_CODE_DONE) {
        im->scale = info.scale;
        rc = save(im, &data, out_path, info.format);
    }
    if (rc == EXIT_CODE_DONE && !im->has_first) {
        im->first = data;
        data = (struct buf){0};
        im->has_first = dataset_view(&im->first_set, im->first.data,
                                     im->first.size) == POT_OK;
    }
    buf_fini(&data);
    free(out_path);
    free(labels);
    return rc;
}

/* Two results in one file would be one. */
static enum exit_code check_apart(struct ctl *ctl, const struct cli_args *args)
{
    enum exit_code rc = EXIT_CODE_DONE;
    for (size_t i = 1; i < args->argument_count && rc == EXIT_CODE_DONE; i++) {
        char *path = pds_path(args->arguments[i]);
        for (size_t k = 0; k < i && rc == EXIT_CODE_DONE; k++) {
            char *other = pds_path(args->arguments[k]);
            if (strcmp(path, other) == 0) {
                rc = ctl_fail(ctl, EXIT_CODE_USAGE,
                              "%s and %s would both become %s; import one of"
                              " them alone, with --out",
                              args->arguments[k], args->arguments[i], path);
            }
            free(other);
        }
        free(path);
    }
    return rc;
}

static enum exit_code run_import(struct ctl *ctl, const struct cli_args *args)
{
    struct importer im = {
        .ctl = ctl, .args = args, .labels = cli_value(args, "labels")};
    const char *scale = cli_value(args, "scale");
    if (cli_value(args, "out") != NULL && args->argument_count > 1) {
        return ctl_fail(ctl, EXIT_CODE_USAGE,
                        "--out names the result of one FILE");
    }
    if (scale != NULL) {
        char *end;
        im.scale = strtod(scale, &end);
        if (*end != '\0' || !(im.scale > 0 && im.scale < 1e9)) {
            return ctl_fail(ctl, EXIT_CODE_USAGE,
                            "--scale %s: must be a number above 0", scale);
        }
    }
    enum exit_code rc = check_apart(ctl, args);
    for (size_t i = 0; i < args->argument_count && rc == EXIT_CODE_DONE; i++) {
        rc = import_one(&im, args->arguments[i]);
    }
    buf_fini(&im.first);
    return rc;
}

/* ---- publish */

static enum exit_code publish_data(struct ctl *ctl, struct publish *set)
{
    struct sender sender;
    struct hash tx;
    char text[HASH_TEXT_SIZE];
    char fee[AMOUNT_TEXT_SIZE];
    enum exit_code rc = sender_init(&sender, ctl);
    if (rc == EXIT_CODE_DONE) {
        rc = publish_look(set, ctl);
    }
    if (rc == EXIT_CODE_DONE) {
        struct amount cost = {publish_fee(set, &sender)};
        ctl_note(ctl, "cost: %s POT%s", amount_format(cost, fee),
                 set->is_known ? "; the chain has this data set" : "");
        rc = publish_run(&tx, set, &sender);
    }
    if (rc == EXIT_CODE_DONE) {
        (void)hash_format(&tx, text);
        ctl_print(ctl, "%s\n", set->address_text);
        ctl_print_json(
            ctl, hash_is_zero(&tx)
                     ? json_pack("{ss sn}", "dataset", set->address_text, "tx")
                     : json_pack("{ss ss}", "dataset", set->address_text, "tx",
                                 text));
    }
    sender_fini(&sender);
    return rc;
}

static enum exit_code run_publish(struct ctl *ctl, const struct cli_args *args)
{
    char *data;
    size_t size;
    struct publish set;
    char why[IMPORT_WHY_SIZE];
    const char *path = args->arguments[0];
    enum pot_err err = file_read(&data, &size, path, IMPORT_BYTES_MAX);
    if (err != POT_OK) {
        return ctl_fail_read(ctl, err, path);
    }
    enum exit_code rc = publish_init(&set, ctl, data, size, path, "");
    if (rc == EXIT_CODE_DONE &&
        import_check_names(&set.set, path, why) != POT_OK) {
        rc = ctl_fail(ctl, EXIT_CODE_REJECTED, "%s", why);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = publish_data(ctl, &set);
    }
    publish_fini(&set);
    free(data);
    return rc;
}

/* ---- show */

/* head: NULL: the node does not hold it. */
static void print_published(const json_t *set, const struct dataset *head)
{
    show_text("data set", set, "dataset");
    show_text("name", set, "name");
    show_count("rows", set, "rows");
    if (head != NULL) {
        data_head_print(head);
    } else {
        show_count("features", set, "features");
        show_count("classes", set, "classes");
    }
    show_count("bytes", set, "size_bytes");
    show_count("chunks", set, "chunks");
    show_text("owner", set, "owner");
    show_count("height", set, "height");
    show_field("held", "%s",
               json_is_true(json_object_get(set, "held")) ? "yes" : "no");
}

static enum exit_code show_published(struct ctl *ctl, const char *address)
{
    json_t *set;
    struct buf bytes;
    struct dataset head;
    enum exit_code rc = client_get(&set, ctl, "/v1/datasets/%s", address);
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    bool has_head = data_head_ask(&head, &bytes, ctl, address);
    if (has_head) {
        add_head(set, &head);
    }
    if (!ctl->is_json) {
        print_published(set, has_head ? &head : NULL);
    }
    ctl_print_json(ctl, set);
    buf_fini(&bytes);
    return EXIT_CODE_DONE;
}

static enum exit_code run_show(struct ctl *ctl, const struct cli_args *args)
{
    char *data;
    size_t size;
    struct publish set;
    const char *what = args->arguments[0];
    if (show_is_hash(what)) {
        return show_published(ctl, what);
    }
    enum pot_err err = file_read(&data, &size, what, IMPORT_BYTES_MAX);
    if (err == POT_ENOENT) {
        return ctl_fail(ctl, EXIT_CODE_CONFIG,
                        "%s: no file of this name, and not a data set's"
                        " address, which is 64 lower-case hex digits",
                        what);
    }
    if (err != POT_OK) {
        return ctl_fail_read(ctl, err, what);
    }
    enum exit_code rc = publish_init(&set, ctl, data, size, what, "");
    if (rc == EXIT_CODE_DONE) {
        print_set(ctl, &set, what, 0);
    }
    publish_fini(&set);
    free(data);
    return rc;
}

const struct cli_command cmd_dataset_import = {
    .name = "dataset import",
    .arguments = "FILE...",
    .summary = "make data sets (.pds) from CSV, IDX and .npy files",
    .details = "Files may be compressed with gzip.  Each FILE becomes a .pds"
               " beside it, or\n--out, over what was there.  A second FILE is a"
               " test set: it gets the classes\nand the scale of the first.\n",
    .examples =
        "  potctl dataset import train.csv test.csv --label species\n"
        "  potctl dataset import images.idx.gz --labels labels.idx.gz\n",
    .arguments_min = 1,
    .arguments_max = 16,
    .options = {{"labels", "FILE,...", "labels of IDX and .npy, one a FILE"},
                {"label", "COLUMN",
                 "CSV: a name, an index, first or last (last)"},
                {"scale", "N", "divide features by N"},
                {"regression", NULL, "labels are numbers, not classes"},
                {"out", "D.pds", "where the result goes"}},
    .run = run_import,
};

const struct cli_command cmd_dataset_publish = {
    .name = "dataset publish",
    .arguments = "D.pds",
    .summary = "put a data set on the chain, print its address",
    .details = "Waits until the data set is committed.\n",
    .examples = "  potctl --key alice.key dataset publish train.pds\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_publish,
};

const struct cli_command cmd_dataset_show = {
    .name = "dataset show",
    .arguments = "HASH|D.pds",
    .summary = "describe a published data set or a file",
    .examples = "  potctl dataset show train.pds\n"
                "  potctl dataset show HASH --json\n",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_show,
};
