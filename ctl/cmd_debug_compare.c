/* debug compare: the first state key in which two nodes differ. */
#include "config.h"

#include "ctl/commands.h"
#include "ctl/json_text.h"
#include "ctl/state_compare.h"
#include "ctl/state_source.h"
#include "ctl/state_text.h"

#include <inttypes.h>
#include <stdlib.h>

static json_t *side_json(const struct state_difference *d, size_t i,
                         const char *name)
{
    char root[HASH_TEXT_SIZE];
    const struct state_shown *shown = &d->sides[i];
    json_t *json = json_pack("{so sI ss}", "from", json_text(name), "height",
                             (json_int_t)shown->height, "state_root",
                             hash_format(&shown->root, root));
    if (!d->is_same) {
        (void)json_object_set_new(json, "value",
                                  shown->has_value
                                      ? state_value_json(d->key, d->key_size,
                                                         shown->value.data,
                                                         shown->value.size)
                                      : json_null());
    }
    return json;
}

static void print_side(struct ctl *ctl, const json_t *side)
{
    const json_t *value = json_object_get(side, "value");
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_INDENT(2));
    ctl_print(ctl, "%s: state root %s\n%s\n",
              json_string_value(json_object_get(side, "from")),
              json_string_value(json_object_get(side, "state_root")),
              json_is_null(value) || text == NULL ? "  it has no such key"
                                                  : text);
    free(text);
}

/* Both can be wrong, and the chain says what is right. */
static void advise(struct ctl *ctl, uint64_t height)
{
    ctl_note(ctl,
             "next: `potctl block %" PRIu64 "` at a third node says the state"
             " root that validators signed.  A node with another one is wrong:"
             " stop it, keep a copy\nof its home, see with `potctl store"
             " verify --config FILE` whether its disk is at fault, and begin"
             " anew with `potctl resync --config FILE`.\nIf the store is"
             " right, two builds compute differently: compare `potd"
             " --version`, and report what is above",
             height);
}

static void print(struct ctl *ctl, const struct state_difference *d,
                  const char *const names[2])
{
    char key[STATE_KEY_TEXT_SIZE] = "";
    json_t *sides[2] = {side_json(d, 0, names[0]), side_json(d, 1, names[1])};
    if (d->is_same) {
        ctl_print(ctl, "the states are the same at height %" PRIu64 "\n",
                  d->sides[0].height);
    } else {
        ctl_print(ctl, "at height %" PRIu64 " the first difference is %s\n",
                  d->sides[0].height, state_key_text(key, d->key, d->key_size));
        print_side(ctl, sides[0]);
        print_side(ctl, sides[1]);
        advise(ctl, d->sides[0].height);
    }
    ctl_print_json(ctl, json_pack("{sb so so so}", "same", d->is_same, "key",
                                  d->is_same ? json_null() : json_string(key),
                                  "a", sides[0], "b", sides[1]));
}

static enum exit_code run(struct ctl *ctl, const struct cli_args *args)
{
    struct state_source sources[2] = {{NULL, NULL}, {NULL, NULL}};
    struct state_side sides[2];
    struct state_difference difference;
    enum exit_code rc = EXIT_CODE_DONE;
    for (size_t i = 0; rc == EXIT_CODE_DONE && i < 2; i++) {
        rc = state_source_open(&sources[i], ctl, args->arguments[i]);
        sides[i] = state_source_side(&sources[i]);
    }
    if (rc == EXIT_CODE_DONE) {
        rc = state_compare(&difference, ctl, sides);
        if (rc == EXIT_CODE_DONE) {
            print(ctl, &difference, args->arguments);
        }
        state_difference_fini(&difference);
    }
    state_source_close(&sources[0]);
    state_source_close(&sources[1]);
    return rc;
}

const struct cli_command cmd_debug_compare = {
    .name = "debug compare",
    .arguments = "A B",
    .summary = "find the first state key in which two nodes differ",
    .details = "A and B are URLs of nodes, or homes, backups or stores of nodes"
               " that are\nstopped, at one height: when state roots differ,"
               " which record does, and what\neach holds.\n",
    .examples = "  potctl debug compare node0 node1\n"
                "  potctl debug compare http://127.0.0.1:26651 node1/data\n",
    .arguments_min = 2,
    .arguments_max = 2,
    .run = run,
};
