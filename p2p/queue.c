#include "config.h"

#include "p2p/queue.h"

#include "base/alloc.h"
#include "base/check.h"

#include <stdlib.h>
#include <string.h>

struct queue_entry {
    struct queue_entry *next;
    struct parcel *parcel;
};

struct parcel *parcel_new(uint8_t type, const void *data, size_t size)
{
    struct parcel *parcel = pot_alloc(sizeof(*parcel) + size);
    parcel->references = 1;
    parcel->type = type;
    parcel->size = size;
    if (size > 0) {
        memcpy(parcel->data, data, size);
    }
    return parcel;
}

void parcel_unref(struct parcel *parcel)
{
    POT_ASSERT(parcel->references > 0);
    if (--parcel->references == 0) {
        free(parcel);
    }
}

size_t queue_cost(size_t size)
{
    return size + sizeof(struct parcel) + sizeof(struct queue_entry);
}

void queue_init(struct queue *queue,
                const size_t bytes_max[static PRIORITY_COUNT])
{
    memset(queue, 0, sizeof(*queue));
    for (size_t i = 0; i < PRIORITY_COUNT; i++) {
        queue->lines[i].bytes_max = bytes_max[i];
    }
}

void queue_fini(struct queue *queue)
{
    for (struct parcel *p = queue_pop(queue); p != NULL; p = queue_pop(queue)) {
        parcel_unref(p);
    }
}

bool queue_push(struct queue *queue, struct parcel *parcel)
{
    const struct message_rule *rule = message_rule(parcel->type);
    POT_ASSERT(rule != NULL);
    size_t cost = queue_cost(parcel->size);
    size_t line = rule->priority;
    if (cost > queue->lines[line].bytes_max - queue->lines[line].bytes) {
        return false;
    }
    struct queue_entry *entry = pot_alloc(sizeof(*entry));
    *entry = (struct queue_entry){.parcel = parcel};
    parcel->references++;
    if (queue->lines[line].first == NULL) {
        queue->lines[line].first = entry;
    } else {
        queue->lines[line].last->next = entry;
    }
    queue->lines[line].last = entry;
    queue->lines[line].bytes += cost;
    return true;
}

struct parcel *queue_pop(struct queue *queue)
{
    for (size_t i = 0; i < PRIORITY_COUNT; i++) {
        struct queue_entry *entry = queue->lines[i].first;
        if (entry != NULL) {
            struct parcel *parcel = entry->parcel;
            queue->lines[i].first = entry->next;
            queue->lines[i].bytes -= queue_cost(parcel->size);
            free(entry);
            return parcel;
        }
    }
    return NULL;
}

size_t queue_bytes(const struct queue *queue)
{
    size_t bytes = 0;
    for (size_t i = 0; i < PRIORITY_COUNT; i++) {
        bytes += queue->lines[i].bytes;
    }
    return bytes;
}
