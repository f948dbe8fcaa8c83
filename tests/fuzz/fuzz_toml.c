/* Settings and tasks as text. */
#include "config.h"

#include "base/check.h"
#include "base/toml.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct toml_file file;
    unsigned line = 0;
    char message[128];
    char *text = malloc(size + 1);
    POT_ASSERT(text != NULL);
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    if (toml_parse(&file, text, &line, message, sizeof(message)) == POT_OK) {
        for (size_t i = 0; i < file.count; i++) {
            POT_ASSERT(file.values[i].key != NULL);
        }
        toml_free(&file);
    } else {
        POT_ASSERT(memchr(message, '\0', sizeof(message)) != NULL);
    }
    free(text);
    return 0;
}
