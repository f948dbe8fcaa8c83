#include "config.h"

#include "ctl/task_value.h"

#include "base/alloc.h"
#include "base/amount.h"
#include "base/file.h"
#include "base/suggest.h"
#include "ctl/given.h"
#include "ctl/show.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHOICES_MAX 16

#define FAULT(...)                                                             \
    task_file_fault(ctl, file, value->line, rule->key, __VA_ARGS__)

static void *field_of(struct task_file *file, const struct task_rule *rule)
{
    return (char *)file + rule->offset;
}

static enum exit_code set_u32(struct task_file *file,
                              const struct task_rule *rule, uint32_t number)
{
    memcpy(field_of(file, rule), &number, sizeof(number));
    return EXIT_CODE_DONE;
}

static enum exit_code set_text(struct task_file *file, struct ctl *ctl,
                               const struct task_rule *rule,
                               const struct toml_value *value)
{
    char **field = field_of(file, rule);
    if (rule->kind == TASK_VALUE_COLUMN && value->type == TOML_INTEGER &&
        value->integer >= 0) {
        char digits[24];
        (void)snprintf(digits, sizeof(digits), "%" PRId64, value->integer);
        *field = pot_strdup(digits);
        return EXIT_CODE_DONE;
    }
    if (value->type != TOML_TEXT || value->text[0] == '\0') {
        return FAULT("must be a text in quotes");
    }
    if (rule->kind == TASK_VALUE_HASH && !show_is_hash(value->text)) {
        return FAULT("must be 64 lower-case hex digits, the address of a"
                     " published data set");
    }
    if (rule->kind == TASK_VALUE_PATH) {
        char *folder = file_folder(file->path);
        *field = file_join(folder, value->text);
        free(folder);
    } else {
        *field = pot_strdup(value->text);
    }
    return EXIT_CODE_DONE;
}

/* 15.999999 reads as 16, which is too much. */
static bool is_rounded_up(double high)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%g", high);
    return strtod(text, NULL) > high;
}

static enum exit_code set_number(struct task_file *file, struct ctl *ctl,
                                 const struct task_rule *rule,
                                 const struct toml_value *value)
{
    double number = value->number;
    bool is_number = value->type == TOML_NUMBER || value->type == TOML_INTEGER;
    bool is_open = rule->kind == TASK_VALUE_NUMBER;
    if (!is_number || !(number >= rule->low && number <= rule->high) ||
        (is_open && (number <= rule->low || number >= rule->high))) {
        return is_open ? FAULT("must be a number between %g and %g", rule->low,
                               rule->high)
                       : FAULT("must be a number from %g to %s%g", rule->low,
                               is_rounded_up(rule->high) ? "below " : "",
                               rule->high);
    }
    if (!is_open) {
        return set_u32(file, rule, (uint32_t)llround(number * rule->unit));
    }
    memcpy(field_of(file, rule), &number, sizeof(number));
    return EXIT_CODE_DONE;
}

static enum exit_code set_count(struct task_file *file, struct ctl *ctl,
                                const struct task_rule *rule,
                                const struct toml_value *value)
{
    uint64_t wide = (uint64_t)value->integer;
    if (value->type != TOML_INTEGER || value->integer < 0) {
        return FAULT("must be a whole number");
    }
    if (rule->kind == TASK_VALUE_U64) {
        memcpy(field_of(file, rule), &wide, sizeof(wide));
        return EXIT_CODE_DONE;
    }
    if (value->number < rule->low || value->number > rule->high) {
        return FAULT("must be from %.0f to %.0f, not %" PRId64, rule->low,
                     rule->high, value->integer);
    }
    return set_u32(file, rule, (uint32_t)wide);
}

static enum exit_code set_choice(struct task_file *file, struct ctl *ctl,
                                 const struct task_rule *rule,
                                 const struct toml_value *value)
{
    const char *names[CHOICES_MAX];
    char list[160] = "";
    char hint[SUGGEST_TEXT_SIZE];
    const char *text = value->type == TOML_TEXT ? value->text : "";
    size_t used = 0;
    size_t count = rule->choices->count;
    for (size_t i = 0; i < count && i < CHOICES_MAX; i++) {
        const struct spec_choice *choice = &rule->choices->all[i];
        names[i] = choice->name;
        if (strcmp(text, names[i]) == 0) {
            return set_u32(file, rule, choice->value);
        }
        if (used < sizeof(list)) {
            used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
                                     i > 0 ? ", " : "", names[i]);
        }
    }
    return FAULT("must be one of: %s%s", list,
                 suggest_text(hint, "", text, names, count));
}

static enum exit_code set_layers(struct task_file *file, struct ctl *ctl,
                                 const struct task_rule *rule,
                                 const struct toml_value *value)
{
    bool is_good = value->type == TOML_ARRAY && value->item_count >= 2 &&
                   value->item_count <= LAYERS_MAX;
    for (size_t i = 0; is_good && i < value->item_count; i++) {
        const struct toml_value *item = &value->items[i];
        is_good = item->type == TOML_INTEGER && item->integer >= 1 &&
                  item->integer <= LAYER_WIDTH_MAX;
        file->layers[i] = (uint32_t)item->integer;
    }
    if (!is_good) {
        return FAULT("must be a list of 2 to %d widths of 1 to %d, the input's"
                     " first, such as [64, 32, 10]",
                     LAYERS_MAX, LAYER_WIDTH_MAX);
    }
    file->layer_count = value->item_count;
    return EXIT_CODE_DONE;
}

static enum exit_code set_amount(struct task_file *file, struct ctl *ctl,
                                 const struct task_rule *rule,
                                 const struct toml_value *value)
{
    char digits[24];
    const char *text = value->text;
    struct amount amount;
    if (value->type == TOML_INTEGER) {
        (void)snprintf(digits, sizeof(digits), "%" PRId64, value->integer);
        text = digits;
    } else if (value->type == TOML_NUMBER) {
        return FAULT("must stand in quotes to be exact: \"%g\"", value->number);
    } else if (value->type != TOML_TEXT) {
        text = "";
    }
    if (amount_parse(&amount, text) != POT_OK) {
        return FAULT("%s", given_amount_why(text));
    }
    memcpy(field_of(file, rule), &amount.units, sizeof(amount.units));
    return EXIT_CODE_DONE;
}

enum exit_code task_value_set(struct task_file *file, struct ctl *ctl,
                              const struct task_rule *rule,
                              const struct toml_value *value)
{
    switch (rule->kind) {
    case TASK_VALUE_TEXT:
    case TASK_VALUE_COLUMN:
    case TASK_VALUE_PATH:
    case TASK_VALUE_HASH:
        return set_text(file, ctl, rule, value);
    case TASK_VALUE_U32:
    case TASK_VALUE_U64:
        return set_count(file, ctl, rule, value);
    case TASK_VALUE_SCALED:
    case TASK_VALUE_NUMBER:
        return set_number(file, ctl, rule, value);
    case TASK_VALUE_CHOICE:
        return set_choice(file, ctl, rule, value);
    case TASK_VALUE_LAYERS:
        return set_layers(file, ctl, rule, value);
    case TASK_VALUE_AMOUNT:
        return set_amount(file, ctl, rule, value);
    }
    return EXIT_CODE_FAILED;
}

void task_value_set_usual(struct task_file *file, const struct task_rule *rule)
{
    uint64_t wide = (uint64_t)rule->usual;
    if (rule->kind == TASK_VALUE_SCALED) {
        (void)set_u32(file, rule, (uint32_t)llround(rule->usual * rule->unit));
    } else if (rule->kind == TASK_VALUE_U32) {
        (void)set_u32(file, rule, (uint32_t)wide);
    } else if (rule->kind == TASK_VALUE_CHOICE) {
        (void)set_u32(file, rule, rule->choices->all[0].value);
    } else if (rule->kind == TASK_VALUE_U64) {
        memcpy(field_of(file, rule), &wide, sizeof(wide));
    }
}
