#include "config.h"

#include "node/block/inbox.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/cpu_time.h"
#include "base/log.h"
#include "consensus/pbft.h"
#include "node/loop/offload.h"
#include "proto/codec.h"

#include <stdlib.h>
#include <string.h>

#define LETTERS_MAX       4096
#define LETTERS_BYTES_MAX ((size_t)64 << 20)
/* Of one replica, in a batch: f of them who fill theirs leave room. */
#define SHARE_MAX       256
#define SHARE_BYTES_MAX ((size_t)16 << 20)
/* A vote or a small proposal, alone: verified on the loop. */
#define BRIEF_BYTES_MAX 4096

struct letter { /* a message on its way through verification */
    struct letter *next;
    uint8_t *data;
    size_t size;
    struct public_key from;
    Pot__ConsensusMessage *message; /* NULL: not decoded yet, or refused */
    bool is_spare;
    bool is_breach;
};

struct share { /* what waits of one replica */
    size_t count;
    size_t bytes;
};

struct inbox {
    struct inbox_config config;
    struct letter *letters; /* the newest last */
    struct letter **letters_end;
    size_t count;
    size_t bytes;
    struct share shares[VALIDATORS_MAX + 1];

    struct letter *batch; /* off the loop now */
    struct validator_set set;
    uint64_t set_id;
    uint64_t height; /* whose validators they are */
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

static bool open_letter(struct letter *l)
{
    return l->message != NULL ||
           CODEC_DECODE(&l->message, pot__consensus_message, l->data,
                        l->size) == POT_OK;
}

static bool is_good(const struct inbox *inbox, struct letter *l)
{
    if (!open_letter(l)) {
        l->is_breach = true;
        return false;
    }
    if (pbft_verify(&inbox->set, &inbox->config.chain, l->message)) {
        return true;
    }
    l->is_breach = pbft_is_breach(l->message, inbox->height);
    return false;
}

static void on_verify(void *context)
{
    const struct inbox *inbox = context;
    enum cpu_part before = cpu_time_enter(CPU_SIGNATURES);
    for (struct letter *l = inbox->batch; l != NULL; l = l->next) {
        if (!is_good(inbox, l)) {
            codec_free(l->message);
            l->message = NULL;
        }
    }
    (void)cpu_time_enter(before);
}

static void deliver(struct inbox *inbox, const struct letter *letter)
{
    const struct inbox_message message = {letter->message, &letter->from,
                                          inbox->set_id, letter->is_spare};
    if (letter->message != NULL) {
        inbox->config.deliver(inbox->config.context, &message);
        return;
    }
    inbox->stats.refused++;
    LOG(LOG_DEBUG, "consensus", "message refused",
        log_u64("bytes", letter->size));
    if (letter->is_breach) {
        inbox->config.breach(inbox->config.context, &letter->from);
    }
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

static bool is_brief(const struct letter *batch)
{
    return batch->next == NULL && batch->size <= BRIEF_BYTES_MAX &&
           pbft_signatures(batch->data, batch->size) == 1;
}

/* Asked of what is delivered at once, as the next step may change it. */
static bool is_spare(const struct inbox *inbox, struct letter *letter)
{
    letter->is_spare = open_letter(letter) &&
                       inbox->config.is_spare(inbox->config.context,
                                              letter->message, &letter->from);
    return letter->is_spare;
}

static void start_batch(struct inbox *inbox)
{
    inbox->batch = inbox->letters;
    inbox->set = *inbox->config.validators(inbox->config.context,
                                           &inbox->set_id, &inbox->height);
    inbox->letters = NULL;
    inbox->letters_end = &inbox->letters;
    inbox->count = 0;
    inbox->bytes = 0;
    memset(inbox->shares, 0, sizeof(inbox->shares));
    if (!is_brief(inbox->batch)) {
        offload_start(&inbox->offload, inbox->config.loop, on_verify,
                      on_verified, inbox);
    } else if (is_spare(inbox, inbox->batch)) {
        on_verified(inbox);
    } else {
        offload_brief(&inbox->offload, inbox->config.loop, on_verify,
                      on_verified, inbox);
    }
}

static void enqueue(struct inbox *inbox, struct share *share,
                    struct letter *letter)
{
    *inbox->letters_end = letter;
    inbox->letters_end = &letter->next;
    inbox->count++;
    inbox->bytes += letter->size;
    share->count++;
    share->bytes += letter->size;
    if (inbox->batch == NULL) {
        start_batch(inbox);
    }
}

static bool has_room(const struct inbox *inbox, const struct share *share,
                     size_t size)
{
    return inbox->count < LETTERS_MAX &&
           inbox->bytes + size <= LETTERS_BYTES_MAX &&
           share->count < SHARE_MAX && share->bytes + size <= SHARE_BYTES_MAX;
}

void inbox_receive(struct inbox *inbox, const struct public_key *from,
                   uint32_t replica, const void *data, size_t size)
{
    /* Those who are no validators have one share together: the last. */
    struct share *share =
        &inbox->shares[replica < VALIDATORS_MAX ? replica : VALIDATORS_MAX];
    inbox->stats.received++;
    if (inbox->is_stopped || !has_room(inbox, share, size)) {
        inbox->stats.dropped++;
        return;
    }
    struct letter *letter = pot_calloc(1, sizeof(*letter));
    letter->data = pot_memdup(data, size);
    letter->size = size;
    letter->from = *from;
    enqueue(inbox, share, letter);
}

bool inbox_is_idle(const struct inbox *inbox)
{
    return inbox->batch == NULL && inbox->letters == NULL;
}

void inbox_stats(const struct inbox *inbox, struct inbox_stats *out)
{
    *out = inbox->stats;
}
