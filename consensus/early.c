#include "config.h"

#include "consensus/early.h"

#include "base/check.h"
#include "consensus/pbft_message.h"
#include "proto/codec.h"

#include <stdlib.h>
#include <string.h>

static void forget(struct early_message *slot)
{
    free(slot->data);
    memset(slot, 0, sizeof(*slot));
}

static void keep(struct early_message *slot,
                 const Pot__ConsensusMessage *message, uint64_t view)
{
    free(slot->data);
    slot->data = codec_encode(&slot->size, message);
    slot->view = view;
}

static Pot__ConsensusMessage *take(struct early_message *slot)
{
    if (slot->data == NULL) {
        return NULL;
    }
    Pot__ConsensusMessage *message;
    enum pot_err err =
        CODEC_DECODE(&message, pot__consensus_message, slot->data, slot->size);
    POT_ASSERT(err == POT_OK);
    forget(slot);
    return message;
}

void early_keep_proposal(struct early *early,
                         const Pot__ConsensusMessage *message, uint64_t view)
{
    struct early_message *slot = &early->proposal;
    uint64_t its_view = pbft_message_origin(message).view;
    POT_ASSERT(message->kind_case == POT__CONSENSUS_MESSAGE__KIND_PRE_PREPARE);
    if (slot->data == NULL || slot->view < view || its_view < slot->view) {
        keep(slot, message, its_view);
    }
}

void early_keep_next(struct early *early, const Pot__ConsensusMessage *message,
                     uint64_t view)
{
    struct pbft_origin origin = pbft_message_origin(message);
    struct early_message *slot = &early->next_proposal;
    POT_ASSERT(!origin.is_signed || origin.replica < VALIDATORS_MAX);
    switch (message->kind_case) {
    case POT__CONSENSUS_MESSAGE__KIND_PRE_PREPARE:
        if (slot->data == NULL || (origin.view == view && slot->view != view)) {
            keep(slot, message, origin.view);
        }
        break;
    case POT__CONSENSUS_MESSAGE__KIND_PREPARE:
        keep(&early->next[origin.replica][0], message, origin.view);
        break;
    case POT__CONSENSUS_MESSAGE__KIND_COMMIT:
        keep(&early->next[origin.replica][1], message, origin.view);
        break;
    case POT__CONSENSUS_MESSAGE__KIND_VIEW_CHANGE:
        keep(&early->next[origin.replica][2], message, origin.view);
        break;
    case POT__CONSENSUS_MESSAGE__KIND_NEW_VIEW:
    case POT__CONSENSUS_MESSAGE__KIND_BLOCK_REQUEST:
    case POT__CONSENSUS_MESSAGE__KIND_BLOCK_REPLY:
    case POT__CONSENSUS_MESSAGE__KIND_SUSPICION:
    case POT__CONSENSUS_MESSAGE__KIND__NOT_SET:
    case _POT__CONSENSUS_MESSAGE__KIND__CASE_IS_INT_SIZE:
        break;
    }
}

Pot__ConsensusMessage *early_take_proposal(struct early *early, uint64_t view)
{
    return early->proposal.view <= view ? take(&early->proposal) : NULL;
}

Pot__ConsensusMessage *early_take_next(struct early *early)
{
    Pot__ConsensusMessage *message = take(&early->next_proposal);
    for (size_t i = 0; i < VALIDATORS_MAX && message == NULL; i++) {
        for (size_t kind = 0; kind < EARLY_KINDS && message == NULL; kind++) {
            message = take(&early->next[i][kind]);
        }
    }
    return message;
}

void early_clear_proposal(struct early *early)
{
    forget(&early->proposal);
}

void early_clear_next(struct early *early)
{
    forget(&early->next_proposal);
    for (size_t i = 0; i < VALIDATORS_MAX; i++) {
        for (size_t kind = 0; kind < EARLY_KINDS; kind++) {
            forget(&early->next[i][kind]);
        }
    }
}
