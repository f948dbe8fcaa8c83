#include "config.h"

#include "p2p/message.h"

#include "base/limits.h"

#include <stddef.h>

/* A Signed adds a key, a signature and a few bytes of framing. */
#define SIGNED_MAX(body) ((body) + 256)

static const struct message_rule rules[MESSAGE_TYPE_COUNT] = {
    [MESSAGE_AUTH] = {"auth", P2P_CONSENSUS, 512},
    [MESSAGE_PING] = {"ping", P2P_CONSENSUS, 8},
    [MESSAGE_PONG] = {"pong", P2P_CONSENSUS, 8},
    [MESSAGE_BYE] = {"bye", P2P_CONSENSUS, 1},
    [MESSAGE_CONSENSUS] = {"consensus", P2P_CONSENSUS, FRAME_BYTES_MAX},
    [MESSAGE_TX] = {"tx", P2P_GOSSIP, SIGNED_MAX(TX_BYTES_MAX)},
    [MESSAGE_SUBMISSION] = {"submission", P2P_GOSSIP, SIGNED_MAX(4096)},
    /* A judgement is 36 bytes, and there is one for each in the roster. */
    [MESSAGE_ATTESTATION] = {"attestation", P2P_GOSSIP,
                             SIGNED_MAX(4096 + 64 * ROSTER_MAX)},
    [MESSAGE_STATUS] = {"status", P2P_GOSSIP, 128},
    [MESSAGE_GET_BLOCKS] = {"get_blocks", P2P_GOSSIP, 64},
    [MESSAGE_BLOCKS] = {"blocks", P2P_BULK, FRAME_BYTES_MAX},
    [MESSAGE_GET_BLOB] = {"get_blob", P2P_GOSSIP, 128},
    [MESSAGE_BLOB_PIECE] = {"blob_piece", P2P_BULK, BLOB_PIECE_BYTES + 128},
};

const struct message_rule *message_rule(uint8_t type)
{
    if (type >= MESSAGE_TYPE_COUNT || rules[type].name == NULL) {
        return NULL;
    }
    return &rules[type];
}
