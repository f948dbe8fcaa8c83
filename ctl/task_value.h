/* task_value: one key of task.toml: its type, where it goes, its range and
 * what stands when it is missing. */
#ifndef POT_CTL_TASK_VALUE_H
#define POT_CTL_TASK_VALUE_H

#include <stddef.h>

#include "ctl/task_file.h"
#include "proto/spec.h"

enum task_value_kind {
    TASK_VALUE_TEXT,
    TASK_VALUE_COLUMN, /* a text, or an index without quotes */
    TASK_VALUE_PATH,   /* relative to the file */
    TASK_VALUE_HASH,
    TASK_VALUE_U32, /* in [low, high] */
    TASK_VALUE_U64,
    TASK_VALUE_SCALED, /* a number in [low, high], times unit, as uint32_t */
    TASK_VALUE_NUMBER, /* a number in ]low, high[, as double */
    TASK_VALUE_CHOICE, /* one of choices by its name; the first is usual */
    TASK_VALUE_LAYERS,
    TASK_VALUE_AMOUNT, /* POT */
};

struct task_rule {
    const char *key;
    enum task_value_kind kind;
    size_t offset; /* in struct task_file */
    double low;
    double high;
    double usual; /* in the file's terms; ignored for texts and choices */
    double unit;
    const struct spec_choices *choices;
};

/* task_value_set: the value of rule's key into its field of file.
 * Errors: EXIT_CODE_REJECTED it is not what the rule asks for */
POT_MUST_USE enum exit_code task_value_set(struct task_file *file,
                                           struct ctl *ctl,
                                           const struct task_rule *rule,
                                           const struct toml_value *value);

/* task_value_set_usual: what stands when the key is missing; texts stay. */
void task_value_set_usual(struct task_file *file, const struct task_rule *rule);

#endif
