#include "config.h"

#include "node/api/api_events.h"

#include "base/alloc.h"
#include "ledger/ledger.h"
#include "node/api/api_json.h"
#include "node/api/api_record.h"
#include "node/api/api_request.h"
#include "node/api/api_route.h"
#include "node/api/api_streams.h"
#include "node/block/chain.h"
#include "node/hold/holdings.h"
#include "node/hold/stored.h"
#include "p2p/peer.h"
#include "proto/codec.h"
#include "proto/round.h"

#include <stdlib.h>
#include <string.h>

#define TIMES_MAX 256 /* block times kept */

enum event_type {
    EVENT_BLOCK,
    EVENT_ROUND,
    EVENT_TASK,
    EVENT_PEER,
    EVENT_EVIDENCE,
    EVENT_CHALLENGE,
};

static const char *const event_names[] = {"block", "round",    "task",
                                          "peer",  "evidence", "challenge"};

#define EVENT_TYPES (sizeof(event_names) / sizeof(*event_names))

struct block_time {
    uint64_t height;
    uint64_t time_ms;
};

struct api_events {
    const struct api_config *config;
    struct api_streams *streams;
    struct block_time times[TIMES_MAX];
    Pot__HashList *running; /* tasks, at the tip */
};

static struct store *store_of(const struct api_events *events)
{
    return events->config->holdings->store;
}

static Pot__HashList *read_running(const struct api_events *events)
{
    const struct state state = stored_state(store_of(events));
    return ledger_running(&state);
}

struct api_events *api_events_new(const struct api_config *config,
                                  struct api_streams *streams)
{
    struct api_events *events = pot_calloc(1, sizeof(*events));
    events->config = config;
    events->streams = streams;
    events->running = read_running(events);
    return events;
}

void api_events_free(struct api_events *events)
{
    codec_free(events->running);
    free(events);
}

static bool is_heard(const struct api_events *events)
{
    struct api_streams_stats stats;
    api_streams_stats(events->streams, &stats);
    return stats.open > 0;
}

static void tell(struct api_events *events, enum event_type type,
                 uint64_t height, json_t *data)
{
    struct buf text;
    buf_init(&text, API_STREAM_BYTES_MAX);
    buf_printf(&text, "event: %s\nid: %llu\ndata: ", event_names[type],
               (unsigned long long)height);
    api_json_write(&text, data);
    buf_append(&text, "\n\n", 2);
    if (!text.is_overflown) {
        api_streams_send(events->streams, 1U << type, &text);
    }
    buf_fini(&text);
}

/* ---- rounds */

static uint64_t time_of(const struct api_events *events, uint64_t height)
{
    struct stored_mark block;
    const struct block_time *kept = &events->times[height % TIMES_MAX];
    if (height == 0) {
        return 0;
    }
    if (kept->height == height) {
        return kept->time_ms;
    }
    return stored_block_mark(&block, store_of(events), height) == POT_OK
               ? block.time_ms
               : 0;
}

/* How long it was open; 0 if that is not known. */
static uint64_t round_ms(const struct api_events *events, const struct hash *id,
                         const Pot__TaskRecord *task,
                         const Pot__RoundUpdate *update, uint64_t closed_ms)
{
    uint64_t height;
    if (stored_round_opening(&height, store_of(events), id, task,
                             update->round) != POT_OK) {
        return 0;
    }
    uint64_t opened_ms = time_of(events, height);
    return opened_ms > 0 && closed_ms > opened_ms ? closed_ms - opened_ms : 0;
}

static void tell_round(struct api_events *events,
                       const Pot__BlockHeader *header,
                       const Pot__RoundUpdate *update)
{
    struct hash id;
    const struct state state = stored_state(store_of(events));
    Pot__TaskRecord *task =
        codec_hash(&id, update->task) ? ledger_task(&state, &id) : NULL;
    if (task != NULL) {
        uint64_t ms = round_ms(events, &id, task, update, header->time_ms);
        json_t *data = api_record_round(
            update, api_record_has_classes(task->spec), header->height, ms);
        api_json_set(data, "task", api_json_hash(&id));
        tell(events, EVENT_ROUND, header->height, data);
    }
    codec_free(task);
}

/* ---- blocks */

static void tell_block(struct api_events *events, const struct block *block)
{
    const Pot__BlockHeader *header = block->header;
    json_t *data = json_object();
    api_json_set(data, "height", api_json_count(header->height));
    api_json_set(data, "hash", api_json_hash(&block->hash));
    api_json_set(data, "time_ms", api_json_count(header->time_ms));
    api_json_set(data, "view", api_json_count(header->view));
    api_json_set(data, "proposer", api_json_address_field(header->proposer));
    api_json_set(data, "txs", api_json_count(block->body->n_txs));
    api_json_set(data, "round_updates",
                 api_json_count(block->body->n_round_updates));
    tell(events, EVENT_BLOCK, header->height, data);
}

static void tell_evidence(struct api_events *events, uint64_t height,
                          const Pot__Evidence *evidence)
{
    json_t *data = json_object();
    api_record_add_evidence(data, evidence->proof);
    api_json_set(data, "slashed", api_json_amount(evidence->slashed));
    api_json_set(data, "rewarded", api_json_amount(evidence->rewarded));
    tell(events, EVENT_EVIDENCE, height, data);
}

/* One that a transaction of the block opened or settled. */
static bool challenge_of(struct hash *out, const Pot__Signed *tx)
{
    struct round_submission opened;
    Pot__TxBody *body;
    bool is_there = false;
    if (CODEC_DECODE(&body, pot__tx_body, tx->body.data, tx->body.len) !=
        POT_OK) {
        return false;
    }
    if (body->action_case == POT__TX_BODY__ACTION_SETTLE_CHALLENGE) {
        is_there = codec_hash(out, body->settle_challenge->submission);
    } else if (body->action_case == POT__TX_BODY__ACTION_CHALLENGE &&
               round_submission_decode(&opened, body->challenge->submission) ==
                   POT_OK) {
        *out = opened.hash;
        is_there = true;
        round_submission_fini(&opened);
    }
    codec_free(body);
    return is_there;
}

static void tell_challenges(struct api_events *events,
                            const struct block *block)
{
    const struct state state = stored_state(store_of(events));
    for (size_t i = 0; i < block->body->n_txs; i++) {
        struct hash submission;
        Pot__ChallengeRecord *c = NULL;
        if (challenge_of(&submission, block->body->txs[i])) {
            c = ledger_challenge(&state, &submission);
        }
        if (c != NULL) {
            tell(events, EVENT_CHALLENGE, block->header->height,
                 api_record_challenge(c));
        }
        codec_free(c);
    }
}

/* ---- tasks */

static bool list_has(const Pot__HashList *list, ProtobufCBinaryData hash)
{
    for (size_t i = 0; i < list->n_hashes; i++) {
        if (codec_bytes_equal(hash, list->hashes[i].data,
                              list->hashes[i].len)) {
            return true;
        }
    }
    return false;
}

/* Tells of tasks that are in one list and not in the other. */
static void tell_changed(struct api_events *events, uint64_t height,
                         const Pot__HashList *from, const Pot__HashList *other)
{
    const struct state state = stored_state(store_of(events));
    for (size_t i = 0; i < from->n_hashes; i++) {
        struct hash hash;
        if (list_has(other, from->hashes[i]) ||
            !codec_hash(&hash, from->hashes[i])) {
            continue;
        }
        Pot__TaskRecord *task = ledger_task(&state, &hash);
        if (task != NULL) {
            tell(events, EVENT_TASK, height, api_record_task(task));
        }
        codec_free(task);
    }
}

void api_events_block(struct api_events *events, const struct block *block)
{
    uint64_t height = block->header->height;
    Pot__HashList *before = events->running;
    events->running = read_running(events);
    events->times[height % TIMES_MAX] =
        (struct block_time){height, block->header->time_ms};
    if (is_heard(events)) {
        tell_block(events, block);
        for (size_t i = 0; i < block->body->n_round_updates; i++) {
            tell_round(events, block->header, block->body->round_updates[i]);
        }
        for (size_t i = 0; i < block->body->n_evidence; i++) {
            tell_evidence(events, height, block->body->evidence[i]);
        }
        tell_challenges(events, block);
        tell_changed(events, height, events->running, before);
        tell_changed(events, height, before, events->running);
    }
    codec_free(before);
}

/* ---- peers */

void api_events_peer(struct api_events *events, const struct peer *peer,
                     bool is_up)
{
    if (!is_heard(events)) {
        return;
    }
    json_t *data = json_object();
    api_json_set(data, "address", api_json_address(peer_key(peer)));
    api_json_set(data, "moniker", api_json_text(peer_moniker(peer)));
    api_json_set(data, "host", api_json_text(peer_address(peer)));
    api_json_set(data, "up", json_boolean(is_up));
    tell(events, EVENT_PEER, chain_tip(events->config->chain)->height, data);
}

/* ---- asking for them */

/* "block,task" as bits; 0: a name that is none. */
static unsigned parse_types(const char *text)
{
    unsigned types = 0;
    while (*text != '\0') {
        size_t size = strcspn(text, ",");
        unsigned found = 0;
        for (unsigned i = 0; i < EVENT_TYPES; i++) {
            if (size == strlen(event_names[i]) &&
                strncmp(text, event_names[i], size) == 0) {
                found = 1U << i;
            }
        }
        if (found == 0) {
            return 0;
        }
        types |= found;
        text += size;
        text += *text == ',' ? 1 : 0;
    }
    return types;
}

static void refuse_types(struct api_request *request)
{
    struct buf what;
    buf_init(&what, API_VALUE_SIZE);
    buf_printf(&what, "type: ");
    for (unsigned i = 0; i < EVENT_TYPES; i++) {
        buf_printf(&what, "%s, ", event_names[i]);
    }
    buf_printf(&what, "with commas between");
    api_reply_error(request, 400, "malformed", "%s", buf_text(&what));
    buf_fini(&what);
}

static void get_events(struct api_request *request)
{
    char text[API_VALUE_SIZE];
    bool is_filtered = api_query_text(request->url.query, "type", text);
    unsigned types = is_filtered ? parse_types(text) : (1U << EVENT_TYPES) - 1;
    if (types == 0) {
        refuse_types(request);
        return;
    }
    api_streams_open(request->streams, request, types);
}

/* ---- routes */

const struct api_route api_events_routes[] = {
    {"GET", "/v1/events", .summary = "what happens, as server-sent events",
     .answer = "events, each with its type, and JSON data",
     .type = "text/event-stream", .status = 200, .handler = get_events,
     .parameters = {{"type", "string", "only these, with commas between"}}},
    {.method = NULL},
};
