/* message: what peers say to each other, one type byte each.
 *
 *   type         body                                    priority
 *   CONSENSUS    ConsensusMessage                        consensus
 *   TX, SUBMISSION, ATTESTATION   Signed                 gossip
 *   STATUS       PeerStatus                              gossip
 *   GET_BLOCKS, GET_BLOB                                 gossip
 *   BLOCKS, BLOB_PIECE                                   bulk
 *   PING, PONG   u64: the sender's mark, sent back       consensus
 *   BYE          u8: an enum reason, for the log         consensus
 *
 * AUTH stands in handshakes only. */
#ifndef POT_P2P_MESSAGE_H
#define POT_P2P_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

/* The values are the wire format: never renumber. */
enum message_type {
    MESSAGE_AUTH = 1,
    MESSAGE_PING = 2,
    MESSAGE_PONG = 3,
    MESSAGE_BYE = 4,
    MESSAGE_CONSENSUS = 16,
    MESSAGE_TX = 17,
    MESSAGE_SUBMISSION = 18,
    MESSAGE_ATTESTATION = 19,
    MESSAGE_STATUS = 20,
    MESSAGE_GET_BLOCKS = 21,
    MESSAGE_BLOCKS = 22,
    MESSAGE_GET_BLOB = 23,
    MESSAGE_BLOB_PIECE = 24,
};

#define MESSAGE_TYPE_COUNT 32 /* types are < this */

/* What is sent first, and what is dropped when a peer reads too slowly:
 * bulk and gossip messages are dropped, consensus drops the peer. */
enum message_priority {
    P2P_CONSENSUS,
    P2P_GOSSIP,
    P2P_BULK,
};

#define MESSAGE_PRIORITY_COUNT 3

struct message_rule {
    const char *name; /* for metrics; NULL: no such type */
    enum message_priority priority;
    uint32_t size_max; /* of the body */
};

/* message_rule: the type's rule, or NULL for an unknown type. */
const struct message_rule *message_rule(uint8_t type);

#endif
