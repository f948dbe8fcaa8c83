#include "config.h"

#include "ctl/data_head.h"

#include "base/limits.h"
#include "ctl/client.h"
#include "ctl/json_text.h"
#include "ctl/show.h"

#include <inttypes.h>
#include <stdio.h>

#define NAMES_SHOWN 20

bool data_head_ask(struct dataset *head, struct buf *bytes, struct ctl *ctl,
                   const char *address)
{
    char path[128];
    struct client_reply reply;
    buf_init(bytes, DATASET_CHUNK_BYTES);
    (void)snprintf(path, sizeof(path), "/v1/datasets/%.64s/chunks/0", address);
    if (client_ask(&reply, ctl, "GET", path, NULL, 0) != EXIT_CODE_DONE) {
        return false;
    }
    bool is_there =
        reply.status == 200 && reply.body.size <= DATASET_CHUNK_BYTES;
    if (is_there) {
        buf_append(bytes, reply.body.data, reply.body.size);
    }
    client_reply_fini(&reply);
    return is_there &&
           dataset_view_head(head, bytes->data, bytes->size) == POT_OK;
}

const char *data_head_feature_type(const struct dataset *head)
{
    return head->type == DATASET_U8 ? "bytes" : "fixed point";
}

void data_head_print(const struct dataset *head)
{
    char text[256];
    if (head->type == DATASET_U8) {
        show_field("features", "%" PRIu32 ", bytes divided by %" PRIu32,
                   head->features, head->divisor);
    } else {
        show_field("features", "%" PRIu32 ", fixed point", head->features);
    }
    show_field("classes", "%" PRIu32, head->classes);
    for (uint32_t i = 0; i < head->classes && i < NAMES_SHOWN; i++) {
        dataset_class_name(text, head, i);
        show_field("", "%" PRIu32 " %s", i, text);
    }
}

json_t *data_head_names(const struct dataset *head)
{
    json_t *names = json_array();
    for (uint32_t i = 0; i < head->classes; i++) {
        char text[256];
        dataset_class_name(text, head, i);
        (void)json_array_append_new(names, json_text(text));
    }
    return names;
}
