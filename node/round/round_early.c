#include "config.h"

#include "node/round/round_early.h"

#include "base/alloc.h"
#include "ledger/ledger.h"
#include "proto/codec.h"
#include "proto/signed.h"

#include <stdlib.h>

#define MESSAGES_MAX 8192
/* So many of one author, and for so many blocks. */
#define AUTHOR_MAX 4
#define BLOCKS_MAX 2

struct round_early_message {
    struct round_early_message *next;
    struct arrival arrival;
    Pot__Signed *message; /* the arrival's, our own */
    struct public_key author;
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

bool round_early_keep(struct round_early *early, const struct arrival *arrival,
                      const struct public_key *author,
                      const struct state *state, uint64_t height)
{
    if (height > arrival->height + BLOCKS_MAX || !has_room(early, author) ||
        !may_take_part(state, author, arrival->kind)) {
        return false;
    }
    struct round_early_message *kept = pot_calloc(1, sizeof(*kept));
    kept->message = signed_copy(arrival->message);
    kept->arrival = *arrival;
    kept->arrival.message = kept->message;
    kept->author = *author;
    *end_of(early) = kept;
    early->count++;
    return true;
}

/* Takes the first of the list off it and frees it. */
static void drop_first(struct round_early_message **list)
{
    struct round_early_message *first = *list;
    *list = first->next;
    codec_free(first->message);
    free(first);
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
