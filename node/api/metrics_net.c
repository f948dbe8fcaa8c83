#include "config.h"

#include "node/api/metrics_parts.h"

#include "node/api/metrics_text.h"
#include "p2p/message.h"
#include "p2p/net.h"

static const struct metrics_label no_label = {NULL, NULL};

static void write_types(struct buf *out, const struct net_stats *stats)
{
    static const struct {
        const char *name;
        const char *help;
        size_t offset;
    } families[] = {
        {"pot_p2p_receive_bytes_total", "Bytes received, by message type.",
         offsetof(struct net_type_stats, in_bytes)},
        {"pot_p2p_send_bytes_total", "Bytes sent, by message type.",
         offsetof(struct net_type_stats, out_bytes)},
        {"pot_p2p_receive_messages_total", "Messages received, by type.",
         offsetof(struct net_type_stats, in_count)},
        {"pot_p2p_send_messages_total", "Messages sent, by type.",
         offsetof(struct net_type_stats, out_count)},
        {"pot_p2p_dropped_messages_total",
         "Messages not sent: a queue was full.",
         offsetof(struct net_type_stats, dropped)},
    };
    for (size_t f = 0; f < sizeof(families) / sizeof(*families); f++) {
        metrics_family(out, families[f].name, METRICS_COUNTER,
                       families[f].help);
        for (unsigned type = 0; type < MESSAGE_TYPE_COUNT; type++) {
            const struct message_rule *rule = message_rule((uint8_t)type);
            if (rule != NULL && rule->name != NULL) {
                const uint64_t *value =
                    (const uint64_t *)(const void *)((const char *)&stats
                                                         ->types[type] +
                                                     families[f].offset);
                metrics_sample(out, families[f].name,
                               (struct metrics_label){"type", rule->name},
                               no_label, (double)*value);
            }
        }
    }
}

static const struct metrics_field net_fields[] = {
    METRICS_FIELD("pot_p2p_peers", METRICS_GAUGE, net_stats, peers,
                  "Connected peers."),
    METRICS_FIELD("pot_p2p_pending_handshakes", METRICS_GAUGE, net_stats,
                  pending, "Handshakes under way."),
    METRICS_FIELD("pot_p2p_send_queue_bytes", METRICS_GAUGE, net_stats,
                  queued_bytes,
                  "Bytes that wait to be sent, all peers together."),
    METRICS_FIELD("pot_p2p_accepted_total", METRICS_COUNTER, net_stats,
                  accepted, "Connections accepted."),
    METRICS_FIELD("pot_p2p_dialled_total", METRICS_COUNTER, net_stats, dialled,
                  "Connections made."),
    METRICS_FIELD("pot_p2p_bans_total", METRICS_COUNTER, net_stats, bans,
                  "Peers and addresses banned."),
    METRICS_FIELD("pot_p2p_throttled_total", METRICS_COUNTER, net_stats,
                  throttled,
                  "Times that a peer was read no further for a while: it sent "
                  "more than its share."),
};

void metrics_net_write(struct buf *out, const struct net *net)
{
    struct net_stats stats;
    net_stats(net, &stats);
    metrics_table(out, net_fields, &stats);
    metrics_family(out, "pot_p2p_rejected_frames_total", METRICS_COUNTER,
                   "Connections refused or ended, by reason.");
    for (unsigned reason = 1; reason < REASON_COUNT; reason++) {
        metrics_sample(
            out, "pot_p2p_rejected_frames_total",
            (struct metrics_label){"reason", reason_name((enum reason)reason)},
            no_label, (double)stats.ended[reason]);
    }
    write_types(out, &stats);
}
