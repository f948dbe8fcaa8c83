/* reason: why a connection ended or was refused, one value each.
 *
 * Each is counted (struct net_stats) and logged, so a flood of one kind
 * shows as a number and not as a flood of lines. */
#ifndef POT_P2P_REASON_H
#define POT_P2P_REASON_H

/* A BYE carries the value: never reorder.
 *
 * X(value, name, text): name is for metrics, text for people. */
#define REASON_MAP(X)                                                          \
    X(REASON_NONE, none, "none")                                               \
    /* Handshake. */                                                           \
    X(REASON_NOT_OURS, not_ours, "does not speak this protocol")               \
    X(REASON_VERSION, version, "speaks another protocol version")              \
    X(REASON_CHAIN, chain, "belongs to another chain")                         \
    X(REASON_REFLECTED, reflected, "sends our own key exchange back")          \
    X(REASON_LOW_ORDER, low_order, "offers a weak key exchange")               \
    X(REASON_SIGNATURE, signature, "cannot prove its node key")                \
    X(REASON_WRONG_KEY, wrong_key, "has another node key than configured")     \
    X(REASON_SELF, self, "is this node itself")                                \
    X(REASON_HANDSHAKE_TIMEOUT, handshake_timeout,                             \
      "did not finish the handshake in time")                                  \
    /* Frames. */                                                              \
    X(REASON_FRAME_SIZE, frame_size, "sent a frame of a size not allowed")     \
    X(REASON_FORGED, forged, "sent a frame that does not decrypt")             \
    X(REASON_TYPE, type, "sent a message of an unknown type")                  \
    X(REASON_MALFORMED, malformed, "sent a malformed message")                 \
    /* Limits and choices. */                                                  \
    X(REASON_PENDING_LIMIT, pending_limit, "too many unfinished handshakes")   \
    X(REASON_PEER_LIMIT, peer_limit, "too many peers")                         \
    X(REASON_BANNED, banned, "is banned for now")                              \
    X(REASON_NOT_ALLOWED, not_allowed, "is not on the list of allowed peers")  \
    X(REASON_DUPLICATE, duplicate, "is connected already")                     \
    X(REASON_MISBEHAVED, misbehaved, "misbehaved")                             \
    X(REASON_QUEUE_FULL, queue_full, "reads consensus messages too slowly")    \
    X(REASON_STALLED, stalled, "reads nothing")                                \
    X(REASON_IDLE, idle, "is silent")                                          \
    X(REASON_NOT_WANTED, not_wanted, "is no longer configured")                \
    /* The world. */                                                           \
    X(REASON_RESOLVE, resolve, "host name cannot be resolved")                 \
    X(REASON_CONNECT, connect, "cannot connect")                               \
    X(REASON_CLOSED, closed, "closed the connection")                          \
    X(REASON_IO, io, "connection failed")                                      \
    X(REASON_SHUTDOWN, shutdown, "is shutting down")                           \
    X(REASON_REPLACED, replaced, "has a newer connection")                     \
    X(REASON_ACCEPT_RATE, accept_rate, "connects too often")                   \
    X(REASON_ELSEWHERE, elsewhere,                                             \
      "another node is connected with the same key")                           \
    X(REASON_NOT_SIGNED, not_signed, "this node's key did not sign")

enum reason {
#define X(value, name, text) value,
    REASON_MAP(X)
#undef X
        REASON_COUNT
};

/* Both static, never NULL: a text, and a name such as "wrong_key". */
const char *reason_text(enum reason reason);
const char *reason_name(enum reason reason);

#endif
