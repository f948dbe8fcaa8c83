#include "config.h"

#include "ctl/task_file.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void task_file_fini(struct task_file *file)
{
    toml_free(&file->toml);
    free(file->path);
    free(file->name);
    free(file->train);
    free(file->test);
    free(file->hash);
    free(file->test_hash);
    free(file->label);
    free(file->train_labels);
    free(file->test_labels);
    *file = (struct task_file){0};
}

void task_file_fill(Pot__TaskSpec *spec, Pot__ModelSpec *model,
                    Pot__OptimizerSpec *optimizer, struct task_file *file)
{
    pot__model_spec__init(model);
    model->n_layers = file->layer_count;
    model->layers = file->layers;
    model->activation = (Pot__Activation)file->activation;
    model->loss = (Pot__Loss)file->loss;
    model->seed = file->seed;
    pot__optimizer_spec__init(optimizer);
    optimizer->kind = (Pot__Optimizer)file->kind;
    optimizer->learning_rate = file->learning_rate;
    optimizer->momentum = file->momentum;
    optimizer->beta2 = file->beta2;
    optimizer->epsilon = file->epsilon;
    optimizer->weight_decay = file->weight_decay;
    optimizer->schedule = (Pot__Schedule)file->schedule;
    optimizer->step_rounds = file->step_rounds;
    optimizer->step_factor = file->step_factor;
    optimizer->warmup_rounds = file->warmup_rounds;
    optimizer->local_rate = file->local_rate;
    pot__task_spec__init(spec);
    spec->name = file->name;
    spec->model = model;
    spec->optimizer = optimizer;
    spec->rounds = file->rounds;
    spec->rows_per_miner = file->rows_per_miner;
    spec->shards_per_round = file->shards_per_round;
    spec->local_steps = file->local_steps;
    spec->min_submissions = file->min_submissions;
    spec->aggregation = (Pot__Aggregation)file->aggregation;
    spec->trim_share_ppm = file->trim_share_ppm;
    spec->krum_faulty = file->krum_faulty;
    spec->clip_norm = file->clip_norm;
    spec->numerics = (Pot__Numerics)file->numerics;
    spec->compression = (Pot__Compression)file->compression;
    spec->topk_share_ppm = file->topk_share_ppm;
    spec->audit_rate_ppm = file->audit_rate_ppm;
    spec->plant_rate_ppm = file->plant_rate_ppm;
    spec->eval_every = file->eval_every;
    spec->target_accuracy_ppm = file->target_accuracy_ppm;
    spec->round_timeout_ms = file->round_timeout_ms;
    spec->miner_stake = file->miner_stake;
}

unsigned task_file_line(const struct task_file *file, const char *key)
{
    const struct toml_value *value = toml_find(&file->toml, key);
    return value != NULL ? value->line : 0;
}

void task_file_place(struct buf *out, const struct task_file *file,
                     unsigned line, const char *key)
{
    buf_printf(out, "%s", file->path);
    if (line > 0) {
        buf_printf(out, ":%u", line);
    }
    buf_printf(out, ": %s%s", key, key[0] != '\0' ? ": " : "");
}

enum exit_code task_file_fault(struct ctl *ctl, const struct task_file *file,
                               unsigned line, const char *key,
                               const char *format, ...)
{
    char what[512];
    struct buf place;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    buf_init(&place, SIZE_MAX);
    task_file_place(&place, file, line, key);
    size_t size = strlen(what);
    bool has_hint = size > 0 && what[size - 1] == '?';
    enum exit_code rc =
        ctl_fail(ctl, EXIT_CODE_REJECTED, "%s%s%s", buf_text(&place), what,
                 has_hint ? "" : "; see task.toml(5)");
    buf_fini(&place);
    return rc;
}
