/* message: what peers say to each other, one type byte each.
 *
 *   type         body
 *   CONSENSUS    ConsensusMessage
 *   TX, SUBMISSION, ATTESTATION, EVIDENCE   Signed
 *   GROUP, GROUP_WORD                       Signed
 *   TXS          several Signed, see proto/batch.h
 *   STATUS       PeerStatus
 *   GET_BLOCKS, GET_BLOB, BLOCKS, BLOB_PIECE   as they are called
 *   GET_HEADERS, HEADERS                       GetBlocks, Blocks
 *   GET_SIGNED, LAST_SIGNED                    as they are called
 *   PING, PONG   u64: the sender's mark, sent back
 *   BYE          u8: an enum reason, for the log
 *
 * AUTH stands in handshakes only. */
#ifndef POT_P2P_MESSAGE_H
#define POT_P2P_MESSAGE_H

#include <stdint.h>

#include "base/limits.h"

/* A Signed adds a key, a signature and a few bytes of framing. */
#define MESSAGE_SIGNED_MAX(body) ((body) + 256)
/* A judgement is 36 bytes, and there is one for each in the roster. */
#define MESSAGE_ATTESTATION_MAX MESSAGE_SIGNED_MAX(4096 + 64 * ROSTER_MAX)

/* A member is a hash. */
#define MESSAGE_GROUP_MAX MESSAGE_SIGNED_MAX(256 + 32 * ROSTER_MAX)

/* All of them: X(type, number, name, priority, the body's size at most).  The
 * numbers are the wire format: never renumber, and a peer of an older version
 * ends the connection when it meets a new one. */
#define MESSAGE_MAP(X)                                                         \
    X(MESSAGE_AUTH, 1, "auth", PRIORITY_CONSENSUS, 512)                        \
    X(MESSAGE_PING, 2, "ping", PRIORITY_CONSENSUS, 8)                          \
    X(MESSAGE_PONG, 3, "pong", PRIORITY_CONSENSUS, 8)                          \
    X(MESSAGE_BYE, 4, "bye", PRIORITY_CONSENSUS, 1)                            \
    X(MESSAGE_CONSENSUS, 16, "consensus", PRIORITY_CONSENSUS, FRAME_BYTES_MAX) \
    X(MESSAGE_TX, 17, "tx", PRIORITY_GOSSIP, MESSAGE_SIGNED_MAX(TX_BYTES_MAX)) \
    X(MESSAGE_SUBMISSION, 18, "submission", PRIORITY_GOSSIP,                   \
      MESSAGE_SIGNED_MAX(4096))                                                \
    X(MESSAGE_ATTESTATION, 19, "attestation", PRIORITY_GOSSIP,                 \
      MESSAGE_ATTESTATION_MAX)                                                 \
    X(MESSAGE_COMMITMENT, 42, "commitment", PRIORITY_GOSSIP,                   \
      MESSAGE_SIGNED_MAX(256))                                                 \
    X(MESSAGE_GROUP, 43, "group", PRIORITY_GOSSIP, MESSAGE_GROUP_MAX)          \
    X(MESSAGE_GROUP_WORD, 44, "group_word", PRIORITY_GOSSIP,                   \
      MESSAGE_SIGNED_MAX(256))                                                 \
    X(MESSAGE_STATUS, 20, "status", PRIORITY_GOSSIP, 128)                      \
    X(MESSAGE_GET_BLOCKS, 21, "get_blocks", PRIORITY_GOSSIP, 64)               \
    X(MESSAGE_BLOCKS, 22, "blocks", PRIORITY_BULK, FRAME_BYTES_MAX)            \
    X(MESSAGE_GET_BLOB, 23, "get_blob", PRIORITY_GOSSIP, 128)                  \
    X(MESSAGE_BLOB_PIECE, 24, "blob_piece", PRIORITY_BULK,                     \
      BLOB_PIECE_BYTES + 128)                                                  \
    X(MESSAGE_EVIDENCE, 26, "evidence", PRIORITY_GOSSIP,                       \
      MESSAGE_SIGNED_MAX(EVIDENCE_BYTES_MAX))                                  \
    X(MESSAGE_GET_SIGNED, 34, "get_signed", PRIORITY_GOSSIP, 8)                \
    X(MESSAGE_LAST_SIGNED, 35, "last_signed", PRIORITY_GOSSIP, 256)            \
    X(MESSAGE_TXS, 38, "txs", PRIORITY_GOSSIP, TX_BATCH_BYTES_MAX)             \
    X(MESSAGE_GET_HEADERS, 40, "get_headers", PRIORITY_GOSSIP, 64)             \
    X(MESSAGE_HEADERS, 41, "headers", PRIORITY_BULK, FRAME_BYTES_MAX)

enum message_type {
#define X(type, number, name, priority, size_max) type = (number),
    MESSAGE_MAP(X)
#undef X
};

#define MESSAGE_TYPE_COUNT 64 /* types are < this */

/* What is sent first, and what is dropped when a peer reads too slowly:
 * bulk and gossip messages are dropped, consensus drops the peer. */
enum message_priority {
    PRIORITY_CONSENSUS,
    PRIORITY_GOSSIP,
    PRIORITY_BULK,
};

#define PRIORITY_COUNT 3

struct message_rule {
    const char *name; /* for metrics; NULL: no such type */
    enum message_priority priority;
    uint32_t size_max; /* of the body */
};

/* message_rule: the type's rule, or NULL for an unknown type. */
const struct message_rule *message_rule(uint8_t type);

#endif
