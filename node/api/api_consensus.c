/* Where a validator's replica stands: for whoever asks why it does not go
 * on. */
#include "config.h"

#include "node/api/api_json.h"
#include "node/api/api_request.h"
#include "node/api/api_route.h"
#include "node/block/guard.h"
#include "node/block/replica.h"
#include "p2p/net.h"

static json_t *signed_json(const struct pbft_mark *mark)
{
    json_t *json = json_object();
    api_json_set(json, "height", api_json_count(mark->height));
    api_json_set(json, "view", api_json_count(mark->view));
    api_json_set(json, "rank", json_integer(mark->rank));
    api_json_set(json, "digest", api_json_hash(&mark->digest));
    return json;
}

static json_t *heard_json(bool has, const struct hash *digest)
{
    return has ? api_json_hash(digest) : json_null();
}

/* What it has heard of each member, and what its guard has. */
static json_t *members_json(const struct api_config *c)
{
    json_t *members = json_array();
    const struct guard *guard = replica_guard(c->replica);
    const struct validator_set *set = replica_validators(c->replica);
    for (uint32_t i = 0; i < set->count; i++) {
        struct pbft_heard heard;
        json_t *json = json_object();
        replica_heard(c->replica, i, &heard);
        api_json_set(json, "address", api_json_address(&set->keys[i]));
        api_json_set(json, "connected",
                     json_boolean(net_find(c->net, &set->keys[i]) != NULL));
        api_json_set(json, "prepare",
                     heard_json(heard.has_prepared, &heard.prepared));
        api_json_set(json, "commit",
                     heard_json(heard.has_committed, &heard.committed));
        const struct guard_answer *answer = &guard->answers[i];
        api_json_set(json, "answered", json_boolean(answer->is_given));
        api_json_set(json, "refuses", json_boolean(answer->is_elsewhere));
        api_json_add(members, json);
    }
    return members;
}

static void get_consensus(struct api_request *request)
{
    const struct api_config *c = request->config;
    if (c->replica == NULL) {
        api_reply_error(request, 404, "not_found", "this node is no validator");
        return;
    }
    const struct pbft_status s = replica_status(c->replica);
    json_t *json = json_object();
    api_json_set(json, "height", api_json_count(s.height));
    api_json_set(json, "view", api_json_count(s.view));
    api_json_set(json, "index",
                 s.replica == PBFT_NO_REPLICA ? json_null()
                                              : json_integer(s.replica));
    api_json_set(json, "primary", json_integer(s.primary));
    api_json_set(json, "changing_view", json_boolean(s.is_changing));
    api_json_set(json, "decided", json_boolean(s.is_decided));
    api_json_set(json, "held", json_boolean(s.is_held));
    api_json_set(json, "recovering", json_boolean(s.is_recovering));
    api_json_set(json, "view_timer", json_boolean(s.is_view_timed));
    api_json_set(json, "view_timeout_ms", api_json_count(s.timeout_ms));
    api_json_set(json, "last_view_change",
                 json_string(pbft_change_name(s.last_change)));
    api_json_set(json, "signed_last", signed_json(&s.signed_last));
    api_json_set(json, "members", members_json(c));
    api_reply_json(request, 200, json);
}

/* ---- routes */

const struct api_route api_consensus_routes[] = {
    {"GET", "/v1/consensus",
     .summary = "where a validator's replica stands, and what it has heard",
     .answer = "height, view, index, primary, changing_view, decided, held,"
               " recovering, view_timer, view_timeout_ms, last_view_change,"
               " signed_last, members: address, connected, prepare, commit,"
               " answered, refuses",
     .status = 200, .handler = get_consensus},
    {.method = NULL},
};
