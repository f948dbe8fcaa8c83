/* reason: why a connection ended or was refused, one value each.
 *
 * Each is counted (struct net_stats) and logged, so a flood of one kind
 * shows as a number and not as a flood of lines. */
#ifndef POT_P2P_REASON_H
#define POT_P2P_REASON_H

/* X(value, text): the text is for people, lower case, no full stop. */
#define REASON_MAP(X)                                                          \
    X(REASON_NONE, "none")                                                     \
    /* Handshake. */                                                           \
    X(REASON_NOT_OURS, "does not speak this protocol")                         \
    X(REASON_VERSION, "speaks another protocol version")                       \
    X(REASON_CHAIN, "belongs to another chain")                                \
    X(REASON_REFLECTED, "sends our own key exchange back")                     \
    X(REASON_LOW_ORDER, "offers a weak key exchange")                          \
    X(REASON_SIGNATURE, "cannot prove its node key")                           \
    X(REASON_WRONG_KEY, "has another node key than configured")                \
    X(REASON_SELF, "is this node itself")                                      \
    X(REASON_HANDSHAKE_TIMEOUT, "did not finish the handshake in time")        \
    /* Frames. */                                                              \
    X(REASON_FRAME_SIZE, "sent a frame of a size not allowed")                 \
    X(REASON_FORGED, "sent a frame that does not decrypt")                     \
    X(REASON_TYPE, "sent a message of an unknown type")                        \
    X(REASON_MALFORMED, "sent a malformed message")                            \
    /* Limits and choices. */                                                  \
    X(REASON_PENDING_LIMIT, "too many unfinished handshakes")                  \
    X(REASON_PEER_LIMIT, "too many peers")                                     \
    X(REASON_BANNED, "is banned for now")                                      \
    X(REASON_NOT_ALLOWED, "is not on the list of allowed peers")               \
    X(REASON_DUPLICATE, "is connected already")                                \
    X(REASON_MISBEHAVED, "misbehaved")                                         \
    X(REASON_QUEUE_FULL, "reads consensus messages too slowly")                \
    X(REASON_STALLED, "reads nothing")                                         \
    X(REASON_IDLE, "is silent")                                                \
    X(REASON_NOT_WANTED, "is no longer configured")                            \
    /* The world. */                                                           \
    X(REASON_RESOLVE, "host name cannot be resolved")                          \
    X(REASON_CONNECT, "cannot connect")                                        \
    X(REASON_CLOSED, "closed the connection")                                  \
    X(REASON_IO, "connection failed")                                          \
    X(REASON_SHUTDOWN, "is shutting down")

enum reason {
#define X(value, text) value,
    REASON_MAP(X)
#undef X
        REASON_COUNT
};

/* reason_text: static, never NULL; reason_name: for metrics, such as
 * "wrong_key". */
const char *reason_text(enum reason reason);
const char *reason_name(enum reason reason);

#endif
