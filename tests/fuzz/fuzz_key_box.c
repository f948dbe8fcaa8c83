/* An encrypted key file's line.  What is taken reads the same when it is
 * written again, and asks for no more than it may. */
#include "config.h"

#include "base/check.h"
#include "base/key_box.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text)
{
    char again[KEY_BOX_TEXT_SIZE];
    struct key_box box;
    if (key_box_parse(&box, text) == POT_OK) {
        POT_ASSERT(box.cost.passes <= KEY_BOX_PASSES_MAX);
        POT_ASSERT(box.cost.memory_kib <= KEY_BOX_MEMORY_KIB_MAX);
        POT_ASSERT(strcmp(key_box_format(again, &box), text) == 0);
    }
}

/* The checksum keeps noise out: make whole lines of noise, too. */
static void check_fields(const uint8_t *data, size_t size)
{
    char text[KEY_BOX_TEXT_SIZE];
    struct key_box box;
    struct key_box again;
    memset(&box, 0, sizeof(box));
    memcpy(&box, data, size < sizeof(box) ? size : sizeof(box));
    (void)key_box_format(text, &box);
    enum pot_err err = key_box_parse(&again, text);
    bool is_bounded = box.cost.passes >= 1 &&
                      box.cost.passes <= KEY_BOX_PASSES_MAX &&
                      box.cost.memory_kib >= KEY_BOX_MEMORY_KIB_MIN &&
                      box.cost.memory_kib <= KEY_BOX_MEMORY_KIB_MAX;
    POT_ASSERT(err == (is_bounded ? POT_OK : POT_ERANGE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    POT_ASSERT(text != NULL);
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    check(text);
    free(text);
    if (size > 0) {
        check_fields(data, size);
    }
    return 0;
}
