#include "config.h"

#include "p2p/message.h"

#include <stddef.h>

static const struct message_rule rules[MESSAGE_TYPE_COUNT] = {
#define X(type, number, name, priority, size_max)                              \
    [type] = {name, priority, size_max},
    MESSAGE_MAP(X)
#undef X
};

const struct message_rule *message_rule(uint8_t type)
{
    if (type >= MESSAGE_TYPE_COUNT || rules[type].name == NULL) {
        return NULL;
    }
    return &rules[type];
}
