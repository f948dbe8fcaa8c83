#include "config.h"

#include "node/block/inbox.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "consensus/pbft.h"
#include "node/loop/offload.h"
#include "proto/codec.h"

#include <stdlib.h>

#define LETTERS_MAX       4096
#define LETTERS_BYTES_MAX ((size_t)64 << 20)

struct letter { /* a message on its way through verification */
    struct letter *next;
    uint8_t *data;
    size_t size;
    struct public_key from;
    Pot__ConsensusMessage *message; /* NULL: refused */
};

struct inbox {
    struct inbox_config config;
    struct letter *letters; /* the newest last */
    struct letter **letters_end;
    size_t count;
    size_t bytes;

    struct letter *batch; /* off the loop now */
    struct validator_set set;
    uint64_t set_id;
    struct offload offload;

    bool is_stopped;
    struct inbox_stats stats;
};

struct inbox *inbox_new(const struct inbox_config *config)
{
    struct inbox *inbox = pot_calloc(1, sizeof(*inbox));
    inbox->config = *config;
    inbox->letters_end = &inbox->letters;
    return inbox;
}

static void letter_free(struct letter *letter)
{
    codec_free(letter->message);
    free(letter->data);
    free(letter);
}

void inbox_stop(struct inbox *inbox)
{
    inbox->is_stopped = true;
}

void inbox_free(struct inbox *inbox)
{
    if (inbox == NULL) {
        return;
    }
    POT_ASSERT(inbox->batch == NULL);
    while (inbox->letters != NULL) {
        struct letter *next = inbox->letters->next;
        letter_free(inbox->letters);
        inbox->letters = next;
    }
    free(inbox);
}

static void on_verify(void *context)
{
    struct inbox *inbox = context;
    for (struct letter *l = inbox->batch; l != NULL; l = l->next) {
        if (CODEC_DECODE(&l->message, pot__consensus_message, l->data,
                         l->size) != POT_OK ||
            !pbft_verify(&inbox->set, &inbox->config.chain, l->message)) {
            codec_free(l->message);
            l->message = NULL;
        }
    }
}

static void deliver(struct inbox *inbox, const struct letter *letter)
{
    const struct inbox_message message = {letter->message, &letter->from,
                                          inbox->set_id};
    if (letter->message != NULL) {
        inbox->config.deliver(inbox->config.context, &message);
        return;
    }
    inbox->stats.refused++;
    LOG(LOG_DEBUG, "consensus", "message refused",
        log_u64("bytes", letter->size));
}

static void start_batch(struct inbox *inbox);

static void on_verified(void *context)
{
    struct inbox *inbox = context;
    while (inbox->batch != NULL) {
        struct letter *letter = inbox->batch;
        if (!inbox->is_stopped) {
            deliver(inbox, letter);
        }
        inbox->batch = letter->next;
        letter_free(letter);
    }
    if (inbox->letters != NULL && !inbox->is_stopped) {
        start_batch(inbox);
    }
}

static void start_batch(struct inbox *inbox)
{
    inbox->batch = inbox->letters;
    inbox->set =
        *inbox->config.validators(inbox->config.context, &inbox->set_id);
    inbox->letters = NULL;
    inbox->letters_end = &inbox->letters;
    inbox->count = 0;
    inbox->bytes = 0;
    offload_start(&inbox->offload, inbox->config.loop, on_verify, on_verified,
                  inbox);
}

void inbox_receive(struct inbox *inbox, const struct public_key *from,
                   const void *data, size_t size)
{
    inbox->stats.received++;
    if (inbox->is_stopped || inbox->count >= LETTERS_MAX ||
        inbox->bytes + size > LETTERS_BYTES_MAX) {
        inbox->stats.dropped++;
        return;
    }
    struct letter *letter = pot_calloc(1, sizeof(*letter));
    letter->data = pot_memdup(data, size);
    letter->size = size;
    letter->from = *from;
    *inbox->letters_end = letter;
    inbox->letters_end = &letter->next;
    inbox->count++;
    inbox->bytes += size;
    if (inbox->batch == NULL) {
        start_batch(inbox);
    }
}

bool inbox_is_idle(const struct inbox *inbox)
{
    return inbox->batch == NULL && inbox->letters == NULL;
}

void inbox_stats(const struct inbox *inbox, struct inbox_stats *out)
{
    *out = inbox->stats;
}
