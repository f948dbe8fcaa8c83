/* The node's peers. */
#include "config.h"

#include "node/api/api_json.h"
#include "node/api/api_request.h"
#include "node/api/api_route.h"
#include "p2p/net.h"
#include "p2p/sync.h"

static json_t *peer_json(const struct sync *sync, const struct peer *peer)
{
    struct claim claim;
    bool is_known = sync_peer_claim(sync, peer, &claim);
    uint32_t rtt_us = peer_rtt_us(peer);
    json_t *json = json_object();
    api_json_set(json, "address", api_json_address(peer_key(peer)));
    api_json_set(json, "moniker", api_json_text(peer_moniker(peer)));
    api_json_set(json, "host", api_json_text(peer_address(peer)));
    api_json_set(json, "direction",
                 json_string(peer_is_outbound(peer) ? "outbound" : "inbound"));
    api_json_set(json, "height",
                 is_known ? api_json_count(claim.height) : json_null());
    api_json_set(json, "rtt_ms",
                 rtt_us > 0 ? json_real((double)rtt_us / 1000.0) : json_null());
    api_json_set(json, "bytes_in", api_json_count(peer_bytes_in(peer)));
    api_json_set(json, "bytes_out", api_json_count(peer_bytes_out(peer)));
    return json;
}

/* A node that is refused for a while, or an address. */
static json_t *ban_json(const struct ban *ban, uint64_t now_ms)
{
    json_t *json = json_object();
    api_json_set(json, "address",
                 ban->ip[0] == '\0' ? api_json_address(&ban->key)
                                    : json_null());
    api_json_set(json, "host",
                 ban->ip[0] != '\0' ? api_json_text(ban->ip) : json_null());
    api_json_set(json, "why", api_json_text(ban->why));
    api_json_set(json, "seconds_left",
                 api_json_count((ban->until_ms - now_ms + 999) / 1000));
    return json;
}

static json_t *bans_json(const struct net *net)
{
    struct ban bans[BANS_MAX];
    json_t *list = json_array();
    size_t count = net_bans(net, bans, BANS_MAX);
    for (size_t i = 0; i < count; i++) {
        api_json_add(list, ban_json(&bans[i], net_now_ms(net)));
    }
    return list;
}

static void get_peers(struct api_request *request)
{
    const struct api_config *c = request->config;
    json_t *list = json_array();
    for (size_t i = 0; i < net_peer_count(c->net); i++) {
        api_json_add(list, peer_json(c->sync, net_peer_at(c->net, i)));
    }
    json_t *json = json_object();
    api_json_set(json, "peers", list);
    api_json_set(json, "banned", bans_json(c->net));
    api_reply_json(request, 200, json);
}

/* ---- routes */

const struct api_route api_peer_routes[] = {
    {"GET", "/v1/peers", .summary = "the node's peers",
     .answer = "peers: address, moniker, host, direction, height, rtt_ms;"
               " banned: address or host, why, seconds_left",
     .status = 200, .handler = get_peers},
    {.method = NULL},
};
