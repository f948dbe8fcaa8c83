#include "config.h"

#include "node/round/round_early.h"

#include "base/alloc.h"
#include "ledger/ledger.h"
#include "proto/codec.h"
#include "proto/round.h"
#include "proto/signed.h"

#include <stdlib.h>

#define MESSAGES_MAX 8192
/* So many of one author, and for so many blocks: that it closes, its last
 * pledge, and the words that it kept back (node/round/own_words.c); or what it
 * mines, too. */
#define AUTHOR_MAX 8
#define BLOCKS_MAX 2
/* Each of an honest one covers more than that before it. */
#define REPLACED_MAX ROSTER_MAX

/* Which pledge a message is. */
struct early_pledge {
    bool is_one;
    struct hash task;
    uint32_t round;
    uint32_t sequence;
    size_t replaced; /* before it */
};

struct round_early_message {
    struct round_early_message *next;
    struct arrival arrival;
    Pot__Signed *message; /* the arrival's, our own */
    struct public_key author;
    struct early_pledge pledge;
};

static bool may_take_part(const struct state *state,
                          const struct public_key *author,
                          enum arrival_kind kind)
{
    struct account account;
    return ledger_account(state, author, &account) &&
           (kind == ARRIVAL_ATTESTATION ? account.stake_validator
                                        : account.stake_miner) > 0;
}

static bool has_room(const struct round_early *early,
                     const struct public_key *author)
{
    size_t count = 0;
    for (const struct round_early_message *e = early->first; e != NULL;
         e = e->next) {
        count += public_key_equal(&e->author, author) ? 1 : 0;
    }
    return count < AUTHOR_MAX && early->count < MESSAGES_MAX;
}

static struct round_early_message **end_of(struct round_early *early)
{
    struct round_early_message **end = &early->first;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    return end;
}

/* Takes the first of the list off it and frees it. */
static void drop_first(struct round_early_message **list)
{
    struct round_early_message *first = *list;
    *list = first->next;
    codec_free(first->message);
    free(first);
}

static void look_for_pledge(struct early_pledge *out,
                            const struct arrival *arrival)
{
    struct round_attestation opened;
    *out = (struct early_pledge){.is_one = false};
    if (arrival->kind != ARRIVAL_ATTESTATION ||
        round_attestation_decode(&opened, arrival->message) != POT_OK) {
        return;
    }
    out->is_one = round_is_pledge(&opened);
    out->task = opened.task;
    out->round = opened.body->round;
    out->sequence = opened.body->sequence;
    round_attestation_fini(&opened);
}

/* The author's pledge in the same round, as the head of a list; NULL: none. */
static struct round_early_message **pledge_before(
    struct round_early *early, const struct public_key *author,
    const struct early_pledge *pledge)
{
    for (struct round_early_message **at = &early->first;
         pledge->is_one && *at != NULL; at = &(*at)->next) {
        const struct early_pledge *old = &(*at)->pledge;
        if (old->is_one && old->round == pledge->round &&
            hash_equal(&old->task, &pledge->task) &&
            public_key_equal(&(*at)->author, author)) {
            return at;
        }
    }
    return NULL;
}

/* A later pledge has the place of the one before it. */
static bool make_room(struct round_early *early,
                      const struct public_key *author,
                      struct early_pledge *pledge)
{
    struct round_early_message **old = pledge_before(early, author, pledge);
    if (old == NULL) {
        return has_room(early, author);
    }
    pledge->replaced = (*old)->pledge.replaced + 1;
    if ((*old)->pledge.sequence >= pledge->sequence ||
        pledge->replaced > REPLACED_MAX) {
        return false;
    }
    drop_first(old);
    early->count--;
    return true;
}

bool round_early_keep(struct round_early *early, const struct arrival *arrival,
                      const struct public_key *author,
                      const struct state *state, uint64_t height)
{
    struct early_pledge pledge;
    look_for_pledge(&pledge, arrival);
    if (height > arrival->height + BLOCKS_MAX ||
        !may_take_part(state, author, arrival->kind) ||
        !make_room(early, author, &pledge)) {
        return false;
    }
    struct round_early_message *kept = pot_calloc(1, sizeof(*kept));
    kept->message = signed_copy(arrival->message);
    kept->arrival = *arrival;
    kept->arrival.message = kept->message;
    kept->author = *author;
    kept->pledge = pledge;
    *end_of(early) = kept;
    early->count++;
    return true;
}

void round_early_replay(struct round_early *early,
                        bool (*take)(void *context,
                                     const struct arrival *arrival),
                        void *context)
{
    struct round_early_message *list = early->first;
    *early = (struct round_early){0};
    while (list != NULL) {
        (void)take(context, &list->arrival);
        drop_first(&list);
    }
}

void round_early_fini(struct round_early *early)
{
    while (early->first != NULL) {
        drop_first(&early->first);
    }
    early->count = 0;
}
