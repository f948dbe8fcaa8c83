#include "config.h"

#include "ctl/task_data.h"

#include "ctl/client.h"
#include "training/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* part->bytes are there. */
static enum exit_code open_part(struct task_part *part, struct ctl *ctl,
                                const char *path, const char *suffix)
{
    part->is_ours = true;
    enum exit_code rc = publish_init(&part->publish, ctl, part->bytes.data,
                                     part->bytes.size, path, suffix);
    const struct dataset *set = &part->publish.set;
    part->address = part->publish.address;
    part->facts = (struct spec_data){set->rows, set->features, set->classes};
    return rc;
}

/* The key of the file that why begins with, and its line. */
static enum exit_code blame(struct ctl *ctl, const struct task_file *file,
                            const char *part, const char *labels,
                            const char *why)
{
    char key[32];
    size_t size = labels != NULL ? strlen(labels) : 0;
    bool is_labels =
        size > 0 && strncmp(why, labels, size) == 0 && why[size] == ':';
    (void)snprintf(key, sizeof(key), "data.%s%s", part,
                   is_labels ? "_labels" : "");
    return task_file_fault(ctl, file, task_file_line(file, key), key, "%s",
                           why);
}

static enum exit_code import_split_parts(struct task_data *out, struct ctl *ctl,
                                         const struct task_file *file,
                                         const struct buf *whole)
{
    char why[IMPORT_WHY_SIZE] = "";
    struct dataset set;
    if (dataset_view(&set, whole->data, whole->size) != POT_OK ||
        import_split(&out->train.bytes, &out->test.bytes, &set,
                     file->test_split, file->seed, why) != POT_OK) {
        return task_file_fault(
            ctl, file, task_file_line(file, "data.test_split"),
            "data.test_split", "%s",
            why[0] != '\0' ? why : "the data cannot be split");
    }
    enum exit_code rc = open_part(&out->train, ctl, file->train, "-train");
    return rc == EXIT_CODE_DONE
               ? open_part(&out->test, ctl, file->train, "-test")
               : rc;
}

static enum exit_code import_test(struct task_data *out, struct ctl *ctl,
                                  const struct task_file *file, double scale)
{
    char why[IMPORT_WHY_SIZE] = "";
    struct import_info info;
    struct import_options options = {
        .data = file->test,
        .labels = file->test_labels,
        .label = file->label,
        .is_regression = out->train.facts.classes == 0,
        .scale = scale,
        .like = &out->train.publish.set,
    };
    if (import_file(&out->test.bytes, &info, &options, why) != POT_OK) {
        return blame(ctl, file, "test", file->test_labels, why);
    }
    return open_part(&out->test, ctl, file->test, "");
}

/* Numbers as labels are what a single output with mse is for. */
static bool is_regression(const struct task_file *file)
{
    return file->loss == POT__LOSS__LOSS_MSE &&
           file->layers[file->layer_count - 1] == 1;
}

static enum exit_code import_files(struct task_data *out, struct ctl *ctl,
                                   const struct task_file *file)
{
    char why[IMPORT_WHY_SIZE] = "";
    struct buf bytes;
    struct import_info info;
    struct import_options options = {
        .data = file->train,
        .labels = file->train_labels,
        .label = file->label,
        .is_regression = is_regression(file),
        .scale = file->scale,
    };
    if (import_file(&bytes, &info, &options, why) != POT_OK) {
        buf_fini(&bytes);
        return blame(ctl, file, "train", file->train_labels, why);
    }
    bool is_scaled = info.scale > 0 && (info.scale > 1 || info.scale < 1);
    if (is_scaled) {
        ctl_note(ctl, "%s: features are divided by %g", file->train,
                 info.scale);
    }
    if (file->test_split > 0) {
        enum exit_code rc = import_split_parts(out, ctl, file, &bytes);
        buf_fini(&bytes);
        return rc;
    }
    out->train.bytes = bytes;
    enum exit_code rc = open_part(&out->train, ctl, file->train, "");
    if (rc == EXIT_CODE_DONE && file->test != NULL) {
        rc = import_test(out, ctl, file, info.scale);
    }
    return rc;
}

/* A data set that the chain has, by its address. */
static enum exit_code find_part(struct task_part *part, struct ctl *ctl,
                                const struct task_file *file, const char *key,
                                const char *address)
{
    json_t *json;
    enum exit_code rc = client_get(&json, ctl, "/v1/datasets/%s", address);
    if (rc == EXIT_CODE_FAILED) {
        return task_file_fault(ctl, file, task_file_line(file, key), key, "%s",
                               ctl->error);
    }
    if (rc != EXIT_CODE_DONE) {
        return rc;
    }
    enum pot_err err = hash_parse(&part->address, address);
    part->facts = (struct spec_data){
        .rows = client_count(json, "rows"),
        .features = (uint32_t)client_count(json, "features"),
        .classes = (uint32_t)client_count(json, "classes"),
    };
    json_decref(json);
    return err == POT_OK
               ? EXIT_CODE_DONE
               : ctl_fail(ctl, EXIT_CODE_REJECTED, "%s: not a hash", address);
}

enum exit_code task_data_get(struct task_data *out, struct ctl *ctl,
                             const struct task_file *file)
{
    *out = (struct task_data){0};
    enum exit_code rc =
        file->train != NULL
            ? import_files(out, ctl, file)
            : find_part(&out->train, ctl, file, "data.hash", file->hash);
    if (rc == EXIT_CODE_DONE && file->test_hash != NULL) {
        rc =
            find_part(&out->test, ctl, file, "data.test_hash", file->test_hash);
    }
    return rc;
}

static void part_fini(struct task_part *part)
{
    publish_fini(&part->publish);
    buf_fini(&part->bytes);
}

void task_data_fini(struct task_data *data)
{
    part_fini(&data->train);
    part_fini(&data->test);
}
