/* One thread: there is nothing that it would wait for.  The block's commands
 * are one opaque element, as a block of hashes is elsewhere. */
#include "config.h"

#include "tests/bench/null_replica.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/limits.h"
#include "consensus/pbft.h"
#include "p2p/net.h"
#include "proto/block.h"
#include "proto/codec.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#define TIMEOUT_MS  2000
#define NUMBER_SIZE 8

struct timer_slot {
    uv_timer_t timer;
    struct replica *replica;
    uint64_t generation;
};

struct replica {
    const struct null_world *world;
    const struct key *key;
    struct validator_set set;
    struct hash chain;
    uv_loop_t loop;
    struct net *net;
    struct pbft *pbft;
    struct timer_slot timers[PBFT_TIMERS];
    struct pbft_event *events; /* answers to effects, for the next turn */
    size_t event_count;
    uint64_t next;     /* the first command that is not committed */
    uint64_t received; /* the first that the client did not tell yet */
    struct hash tip;
    uint64_t time_ms;
};

struct net_address null_address(const struct null_world *world, uint32_t i)
{
    struct net_address a = {.host = "127.0.0.1"};
    a.key = *key_public(world->keys[i]);
    a.port = (uint16_t)(world->base_port + i);
    return a;
}

struct hash null_chain(void)
{
    return (struct hash){{'n', 'u', 'l', 'l'}};
}

static void answer(struct replica *r, const struct pbft_event *event)
{
    r->events = pot_realloc(r->events, r->event_count + 1, sizeof(*r->events));
    r->events[r->event_count++] = *event;
}

/* ---- blocks */

static uint8_t *make_block(const struct replica *r, uint64_t height,
                           uint64_t view, uint64_t count, size_t *size)
{
    struct hash digest;
    static const struct hash zero;
    Pot__BlockHeader header = POT__BLOCK_HEADER__INIT;
    Pot__Block body = POT__BLOCK__INIT;
    Pot__Signed commands = POT__SIGNED__INIT;
    Pot__Signed *list[1] = {&commands};
    size_t bytes = 2 * NUMBER_SIZE + (size_t)count * NULL_COMMAND_BYTES;
    commands.body.data = pot_calloc(1, bytes);
    commands.body.len = bytes;
    struct bytes_writer w;
    bytes_writer_init(&w, commands.body.data, bytes);
    bytes_write_u64(&w, r->next);
    bytes_write_u64(&w, count);
    body.txs = list;
    body.n_txs = 1;
    header.version = PROTOCOL_VERSION;
    header.chain_id = codec_bytes(r->chain.b, HASH_SIZE);
    header.height = height;
    header.view = view;
    header.time_ms = r->time_ms + 1;
    header.parent_hash = codec_bytes(r->tip.b, HASH_SIZE);
    header.proposer = codec_bytes(key_public(r->key)->b, PUBLIC_KEY_SIZE);
    header.validators_hash = codec_bytes(zero.b, HASH_SIZE);
    header.state_root = codec_bytes(zero.b, HASH_SIZE);
    block_seal(&digest, &body, &header);
    uint8_t *data = codec_encode(size, &body);
    free(header.txs_root.data);
    free(header.round_updates_root.data);
    free(header.evidence_root.data);
    free(header.last_commit_hash.data);
    free(body.header.data);
    free(commands.body.data);
    return data;
}

/* *end: the number behind its last command.  False: it is no block for here. */
static bool open_block(const struct replica *r, const void *data, size_t size,
                       uint64_t *end)
{
    struct block *block;
    struct bytes_reader reader;
    bool is_right = false;
    if (block_decode(&block, data, size) != POT_OK) {
        return false;
    }
    if (block->body->n_txs == 1) {
        const Pot__Signed *commands = block->body->txs[0];
        bytes_reader_init(&reader, commands->body.data, commands->body.len);
        uint64_t first = bytes_read_u64(&reader);
        uint64_t count = bytes_read_u64(&reader);
        *end = first + count;
        is_right = first == r->next && count <= r->world->block_max &&
                   bytes_left(&reader) == count * NULL_COMMAND_BYTES;
    }
    block_free(block);
    return is_right;
}

/* ---- effects */

static bool is_replica(void *context, const struct peer *peer)
{
    const struct replica *r = context;
    uint32_t index;
    return validator_set_find(&index, &r->set, peer_key(peer));
}

static bool is_client(void *context, const struct peer *peer)
{
    return !is_replica(context, peer);
}

static void propose(struct replica *r, const struct pbft_effect *effect)
{
    struct pbft_event event = {.type = PBFT_PROPOSAL};
    uint64_t count = r->received > r->next ? r->received - r->next : 0;
    count = count < r->world->block_max ? count : r->world->block_max;
    event.u.proposal.height = effect->height;
    event.u.proposal.view = effect->view;
    event.u.proposal.block = make_block(r, effect->height, effect->view, count,
                                        &event.u.proposal.block_size);
    answer(r, &event);
}

static void commit(struct replica *r, const struct pbft_effect *effect)
{
    uint8_t number[NUMBER_SIZE];
    struct bytes_writer w;
    struct pbft_event event = {.type = PBFT_COMMITTED};
    uint64_t end;
    bool is_right = open_block(r, effect->bytes, effect->size, &end);
    POT_ASSERT(is_right);
    r->next = end;
    r->tip = effect->digest;
    r->time_ms++;
    bytes_writer_init(&w, number, sizeof(number));
    bytes_write_u64(&w, r->next);
    (void)net_multicast(r->net, MESSAGE_STATUS, number, sizeof(number),
                        is_client, r);
    event.u.committed.height = effect->height;
    event.u.committed.view = effect->view;
    event.u.committed.digest = effect->digest;
    event.u.committed.validators = &r->set;
    answer(r, &event);
}

static void send_to(struct replica *r, const struct pbft_effect *effect)
{
    struct peer *peer = net_find(r->net, &r->set.keys[effect->replica]);
    if (peer != NULL) {
        (void)net_send(r->net, peer, MESSAGE_CONSENSUS, effect->bytes,
                       effect->size);
    }
}

static void on_timer(uv_timer_t *timer);

static void check(struct replica *r, const struct pbft_effect *effect)
{
    uint64_t end;
    struct pbft_event event = {.type = PBFT_CHECKED};
    event.u.checked.height = effect->height;
    event.u.checked.digest = effect->digest;
    event.u.checked.is_valid = open_block(r, effect->bytes, effect->size, &end);
    answer(r, &event);
}

/* No disk: it is as durable as it ever will be. */
static void persist(struct replica *r, const struct pbft_effect *effect)
{
    struct pbft_event event = {.type = PBFT_PERSISTED};
    event.u.persisted.sequence = effect->sequence;
    answer(r, &event);
}

static void set_timer(struct replica *r, const struct pbft_effect *effect)
{
    struct timer_slot *slot = &r->timers[effect->timer];
    slot->generation = effect->generation;
    (void)uv_timer_start(&slot->timer, on_timer, effect->delay_ms, 0);
}

static void carry_out(struct replica *r, const struct pbft_effect *effect)
{
    switch (effect->type) {
    case PBFT_PERSIST:
        persist(r, effect);
        break;
    case PBFT_BROADCAST:
        (void)net_multicast(r->net, MESSAGE_CONSENSUS, effect->bytes,
                            effect->size, is_replica, r);
        break;
    case PBFT_SEND:
        send_to(r, effect);
        break;
    case PBFT_SET_TIMER:
        set_timer(r, effect);
        break;
    case PBFT_PROPOSE:
        propose(r, effect);
        break;
    case PBFT_CHECK:
        check(r, effect);
        break;
    case PBFT_COMMIT:
        commit(r, effect);
        break;
    case PBFT_SYNC: /* nobody is ever behind: no replica restarts */
    case PBFT_EVIDENCE:
        break;
    }
}

static void step_one(struct replica *r, const struct pbft_event *event)
{
    struct pbft_effects effects = {0};
    pbft_step(r->pbft, event, &effects);
    for (size_t i = 0; i < effects.count; i++) {
        carry_out(r, &effects.items[i]);
    }
    pbft_effects_fini(&effects);
}

/* An event, and the answers that it leads to. */
static void step(struct replica *r, const struct pbft_event *event)
{
    step_one(r, event);
    for (size_t i = 0; i < r->event_count; i++) {
        struct pbft_event next = r->events[i];
        union {
            const void *in;
            void *out;
        } block = {.in = NULL};
        if (next.type == PBFT_PROPOSAL) {
            block.in = next.u.proposal.block;
        }
        step_one(r, &next);
        free(block.out);
        if (next.type == PBFT_COMMITTED && r->received > r->next) {
            const struct pbft_event work = {.type = PBFT_WORK};
            step_one(r, &work);
        }
    }
    r->event_count = 0;
}

static void on_timer(uv_timer_t *timer)
{
    const struct timer_slot *slot = timer->data;
    struct pbft_event event = {.type = PBFT_TIMER};
    event.u.timer.timer = (enum pbft_timer)(slot - slot->replica->timers);
    event.u.timer.generation = slot->generation;
    step(slot->replica, &event);
}

/* ---- from others */

static void on_consensus(struct replica *r, const struct peer *peer,
                         const uint8_t *data, size_t size)
{
    Pot__ConsensusMessage *message;
    struct pbft_event event = {.type = PBFT_MESSAGE};
    if (CODEC_DECODE(&message, pot__consensus_message, data, size) != POT_OK) {
        return;
    }
    if (pbft_verify(&r->set, &r->chain, message)) {
        event.u.message.message = message;
        event.u.message.set_id = pbft_status(r->pbft).set_id;
        if (!validator_set_find(&event.u.message.from, &r->set,
                                peer_key(peer))) {
            event.u.message.from = PBFT_NO_REPLICA;
        }
        step(r, &event);
    }
    codec_free(message);
}

static void on_commands(struct replica *r, const uint8_t *data, size_t size)
{
    struct bytes_reader reader;
    const struct pbft_event work = {.type = PBFT_WORK};
    bytes_reader_init(&reader, data, size);
    uint64_t first = bytes_read_u64(&reader);
    uint64_t count = bytes_read_u32(&reader);
    if (bytes_left(&reader) == count * NULL_COMMAND_BYTES &&
        first + count > r->received) {
        r->received = first + count;
        if (r->received > r->next) {
            step(r, &work);
        }
    }
}

static void on_message(void *context, struct peer *peer, uint8_t type,
                       const uint8_t *data, size_t size)
{
    struct replica *r = context;
    if (type == MESSAGE_CONSENSUS) {
        on_consensus(r, peer, data, size);
    } else if (type == MESSAGE_TXS) {
        on_commands(r, data, size);
    }
}

/* ---- the process */

static void open_net(struct replica *r, uint32_t self)
{
    char listen[32];
    struct net_address peers[NULL_REPLICAS_MAX];
    size_t count = 0;
    for (uint32_t i = 0; i < r->world->replicas; i++) {
        if (i != self) {
            peers[count++] = null_address(r->world, i);
        }
    }
    (void)snprintf(listen, sizeof(listen), "127.0.0.1:%u",
                   r->world->base_port + self);
    const struct net_config config = {
        .loop = &r->loop,
        .chain = r->chain,
        .key = r->key,
        .listen = listen,
        .moniker = "null",
        .peers = peers,
        .peer_count = count,
    };
    const struct net_callbacks callbacks = {.context = r,
                                            .on_message = on_message};
    if (net_open(&r->net, &config, &callbacks) != POT_OK) {
        (void)fprintf(stderr, "potbench: cannot listen on %s\n", listen);
        _exit(EXIT_FAILURE);
    }
}

static void open_pbft(struct replica *r)
{
    enum pot_err err;
    const struct pbft_config config = {
        .chain = r->chain,
        .validators = &r->set,
        .key = r->key,
        .propose_timeout_ms = TIMEOUT_MS,
        .propose_timeout_max_ms = 16 * TIMEOUT_MS,
        .idle_interval_ms = TIMEOUT_MS,
    };
    r->pbft = pbft_new(&config, NULL, 0, &err);
    POT_ASSERT(r->pbft != NULL);
}

_Noreturn void null_replica_run(const struct null_world *world, uint32_t self)
{
    struct replica *r = pot_calloc(1, sizeof(*r));
    const struct pbft_event start = {.type = PBFT_START};
    r->world = world;
    r->key = world->keys[self];
    r->chain = null_chain();
    r->set.count = world->replicas;
    for (uint32_t i = 0; i < world->replicas; i++) {
        r->set.keys[i] = *key_public(world->keys[i]);
    }
    (void)signal(SIGPIPE, SIG_IGN);
    int rc = uv_loop_init(&r->loop);
    POT_ASSERT(rc == 0);
    for (size_t i = 0; i < PBFT_TIMERS; i++) {
        r->timers[i].replica = r;
        rc = uv_timer_init(&r->loop, &r->timers[i].timer);
        POT_ASSERT(rc == 0);
        r->timers[i].timer.data = &r->timers[i];
    }
    open_net(r, self);
    open_pbft(r);
    step(r, &start);
    (void)uv_run(&r->loop, UV_RUN_DEFAULT);
    _exit(EXIT_SUCCESS);
}
