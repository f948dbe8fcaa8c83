#include "config.h"

#include "tests/unit/pbft_fixture.h"

#include "base/alloc.h"
#include "base/check.h"
#include "tests/sim/sim_block.h"

#include <stdlib.h>
#include <string.h>

struct pbft_config bench_config(const struct bench *bench)
{
    return (struct pbft_config){
        .chain = bench->chain,
        .validators = &bench->set,
        .key = bench->keys[bench->self],
        .height = bench->height,
        .tip = bench->tip,
        .propose_timeout_ms = BENCH_TIMEOUT,
        .propose_timeout_max_ms = BENCH_CAP,
        .idle_interval_ms = BENCH_IDLE,
    };
}

static void start(struct bench *bench)
{
    enum pot_err err;
    struct pbft_config config = bench_config(bench);
    bench->pbft = pbft_new(&config, bench->record, bench->record_size, &err);
    POT_ASSERT(bench->pbft != NULL && err == POT_OK);
    struct pbft_event event = {.type = PBFT_START};
    bench_step(bench, &event);
}

void bench_open(struct bench *bench, uint32_t n, uint32_t self)
{
    memset(bench, 0, sizeof(*bench));
    bench->chain.b[0] = 1;
    bench->tip.b[0] = 2;
    bench->self = self;
    bench->set.count = n;
    for (uint32_t i = 0; i < n; i++) {
        uint8_t seed[32] = {'b', (uint8_t)i};
        bench->keys[i] = key_from_seed(seed);
        bench->set.keys[i] = *key_public(bench->keys[i]);
    }
    start(bench);
}

void bench_close(struct bench *bench)
{
    pbft_free(bench->pbft);
    pbft_effects_fini(&bench->effects);
    free(bench->record);
    for (uint32_t i = 0; i < bench->set.count; i++) {
        key_free(bench->keys[i]);
    }
}

void bench_restart(struct bench *bench)
{
    pbft_free(bench->pbft);
    start(bench);
}

void bench_step(struct bench *bench, const struct pbft_event *event)
{
    struct pbft_event timed = *event;
    timed.now_ms = bench->now_ms;
    pbft_effects_fini(&bench->effects);
    pbft_step(bench->pbft, &timed, &bench->effects);
    const struct pbft_effect *persist = bench_find(bench, PBFT_PERSIST);
    if (persist != NULL) {
        bench->sequence = persist->sequence;
        free(bench->record);
        bench->record = pot_memdup(persist->bytes, persist->size);
        bench->record_size = persist->size;
    }
}

/* The generation is the newest there is: found by trying. */
void bench_timer(struct bench *bench, enum pbft_timer timer)
{
    for (uint64_t generation = 200; generation > 0; generation--) {
        struct pbft_event event = {.type = PBFT_TIMER};
        event.u.timer.timer = timer;
        event.u.timer.generation = generation;
        bench_step(bench, &event);
        if (bench->effects.count > 0) {
            return;
        }
    }
}

void bench_work(struct bench *bench)
{
    struct pbft_event event = {.type = PBFT_WORK};
    bench_step(bench, &event);
}

void bench_proposal(struct bench *bench, const struct bench_block *block,
                    uint64_t view)
{
    struct pbft_event event = {.type = PBFT_PROPOSAL};
    event.u.proposal.height = bench->height + 1;
    event.u.proposal.view = view;
    event.u.proposal.block = block == NULL ? NULL : block->data;
    event.u.proposal.block_size = block == NULL ? 0 : block->size;
    bench_step(bench, &event);
}

void bench_checked(struct bench *bench, const struct bench_block *block,
                   bool is_valid)
{
    struct pbft_event event = {.type = PBFT_CHECKED};
    event.u.checked.height = bench->height + 1;
    event.u.checked.digest = block->digest;
    event.u.checked.is_valid = is_valid;
    bench_step(bench, &event);
}

void bench_persist(struct bench *bench)
{
    struct pbft_event event = {.type = PBFT_PERSISTED};
    event.u.persisted.sequence = bench->sequence;
    bench_step(bench, &event);
}

void bench_committed(struct bench *bench, uint64_t height, uint64_t view,
                     const struct hash *digest)
{
    struct pbft_event event = {.type = PBFT_COMMITTED};
    event.u.committed.height = height;
    event.u.committed.view = view;
    event.u.committed.digest = *digest;
    event.u.committed.validators = &bench->set;
    bench->height = height;
    bench->tip = *digest;
    bench_step(bench, &event);
}

struct bench_block bench_block(const struct bench *bench, uint64_t view,
                               uint64_t salt)
{
    struct sim_block_spec spec = {
        .chain = bench->chain,
        .parent = bench->tip,
        .proposer = bench->set.keys[view % bench->set.count],
        .height = bench->height + 1,
        .view = view,
        .time_ms = salt,
    };
    struct bench_block block = {.view = view};
    block.data = sim_block_make(&block.size, &block.digest, &spec);
    return block;
}

void bench_block_fini(struct bench_block *block)
{
    free(block->data);
}

bool bench_message(struct bench *bench, uint32_t from, const uint8_t *bytes,
                   size_t size)
{
    Pot__ConsensusMessage *message;
    if (CODEC_DECODE(&message, pot__consensus_message, bytes, size) != POT_OK) {
        return false;
    }
    bool is_spare = from < bench->set.count &&
                    pbft_is_spare(bench->pbft, message, &bench->set.keys[from]);
    bool is_right =
        is_spare || pbft_verify(&bench->set, &bench->chain, message);
    if (is_right) {
        struct pbft_event event = {.type = PBFT_MESSAGE};
        event.u.message.is_spare = is_spare;
        event.u.message.message = message;
        event.u.message.from = from;
        event.u.message.set_id = pbft_status(bench->pbft).set_id;
        bench_step(bench, &event);
    }
    codec_free(message);
    return is_right;
}

static bool send_and_free(struct bench *bench, uint32_t from, uint8_t *bytes,
                          size_t size)
{
    bool is_right = bench_message(bench, from, bytes, size);
    free(bytes);
    return is_right;
}

bool bench_vote(struct bench *bench, Pot__Phase phase, uint32_t replica,
                uint64_t height, uint64_t view, const struct hash *digest)
{
    size_t size;
    struct signature signature;
    struct vote vote = {phase, height, view, *digest, replica};
    vote_sign(&signature, bench->keys[replica], &bench->chain, &vote);
    uint8_t *bytes = pbft_message_encode_vote(&size, &vote, &signature);
    return send_and_free(bench, replica, bytes, size);
}

bool bench_pre_prepare(struct bench *bench, uint64_t view,
                       const struct bench_block *block)
{
    size_t size;
    struct signature signature;
    uint32_t primary = (uint32_t)(view % bench->set.count);
    struct vote vote = {POT__PHASE__PHASE_PRE_PREPARE, bench->height + 1, view,
                        block->digest, primary};
    vote_sign(&signature, bench->keys[primary], &bench->chain, &vote);
    uint8_t *bytes = pbft_message_encode_pre_prepare(&size, &vote, &signature,
                                                     block->data, block->size);
    return send_and_free(bench, primary, bytes, size);
}

Pot__ViewChange *bench_view_change(const struct bench *bench, uint32_t replica,
                                   uint64_t view,
                                   const Pot__PreparedCertificate *prepared)
{
    struct signature signature;
    Pot__ViewChange *change = pot_alloc(sizeof(*change));
    pot__view_change__init(change);
    change->height = bench->height + 1;
    change->view = view;
    change->replica = replica;
    change->prepared = prepared == NULL ? NULL : pbft_message_copy(prepared);
    pbft_message_sign_view_change(&signature, bench->keys[replica],
                                  &bench->chain, change);
    change->signature = codec_copy_bytes(signature.b, SIGNATURE_SIZE);
    return change;
}

bool bench_send_view_change(struct bench *bench, uint32_t replica,
                            uint64_t view,
                            const Pot__PreparedCertificate *prepared)
{
    size_t size;
    Pot__ViewChange *change = bench_view_change(bench, replica, view, prepared);
    uint8_t *bytes = pbft_message_encode_view_change(&size, change);
    codec_free(change);
    return send_and_free(bench, replica, bytes, size);
}

static Pot__VoteSignature *vote_signature(const struct bench *bench,
                                          const struct vote *vote)
{
    struct signature signature;
    Pot__VoteSignature *made = pot_alloc(sizeof(*made));
    pot__vote_signature__init(made);
    vote_sign(&signature, bench->keys[vote->replica], &bench->chain, vote);
    made->replica = vote->replica;
    made->signature = codec_copy_bytes(signature.b, SIGNATURE_SIZE);
    return made;
}

Pot__PreparedCertificate *bench_prepared(const struct bench *bench,
                                         uint64_t view,
                                         const struct hash *digest)
{
    uint32_t n = bench->set.count;
    struct vote vote = {POT__PHASE__PHASE_PRE_PREPARE, bench->height + 1, view,
                        *digest, (uint32_t)(view % n)};
    Pot__PreparedCertificate *made = pot_alloc(sizeof(*made));
    pot__prepared_certificate__init(made);
    made->height = vote.height;
    made->view = view;
    made->digest = codec_copy_bytes(digest->b, HASH_SIZE);
    made->pre_prepare = vote_signature(bench, &vote);
    made->prepares = pot_calloc(n, sizeof(*made->prepares));
    vote.phase = POT__PHASE__PHASE_PREPARE;
    for (uint32_t i = 0;
         i < n && made->n_prepares + 1 < validator_set_quorum(n); i++) {
        vote.replica = i;
        if (i != view % n) {
            made->prepares[made->n_prepares++] = vote_signature(bench, &vote);
        }
    }
    return made;
}

bool bench_new_view(struct bench *bench, uint64_t view,
                    Pot__ViewChange **changes, size_t count)
{
    size_t size;
    struct signature signature;
    uint32_t primary = (uint32_t)(view % bench->set.count);
    Pot__NewView made = POT__NEW_VIEW__INIT;
    made.height = bench->height + 1;
    made.view = view;
    made.replica = primary;
    made.n_view_changes = count;
    made.view_changes = changes;
    pbft_message_sign_new_view(&signature, bench->keys[primary], &bench->chain,
                               &made);
    made.signature = codec_bytes(signature.b, SIGNATURE_SIZE);
    uint8_t *bytes = pbft_message_encode_new_view(&size, &made);
    return send_and_free(bench, primary, bytes, size);
}

bool bench_suspicion(struct bench *bench, uint32_t replica, uint64_t height,
                     uint64_t view, Pot__Cause cause)
{
    size_t size;
    struct signature signature;
    Pot__Suspicion made = POT__SUSPICION__INIT;
    made.height = height;
    made.view = view;
    made.cause = cause;
    made.replica = replica;
    pbft_message_sign_suspicion(&signature, bench->keys[replica], &bench->chain,
                                &made);
    made.signature = codec_bytes(signature.b, SIGNATURE_SIZE);
    uint8_t *bytes = pbft_message_encode_suspicion(&size, &made);
    return send_and_free(bench, replica, bytes, size);
}

void bench_suspect(struct bench *bench, uint64_t view)
{
    struct pbft_event event = {.type = PBFT_SUSPECT};
    event.u.suspect.view = view;
    bench_step(bench, &event);
}

const struct pbft_effect *bench_find(const struct bench *bench,
                                     enum pbft_effect_type type)
{
    for (size_t i = 0; i < bench->effects.count; i++) {
        if (bench->effects.items[i].type == type) {
            return &bench->effects.items[i];
        }
    }
    return NULL;
}

const struct pbft_effect *bench_find_timer(const struct bench *bench,
                                           enum pbft_timer timer)
{
    for (size_t i = 0; i < bench->effects.count; i++) {
        const struct pbft_effect *effect = &bench->effects.items[i];
        if (effect->type == PBFT_SET_TIMER && effect->timer == timer) {
            return effect;
        }
    }
    return NULL;
}

Pot__ConsensusMessage *bench_sent(const struct bench *bench,
                                  Pot__ConsensusMessage__KindCase kind)
{
    for (size_t i = 0; i < bench->effects.count; i++) {
        const struct pbft_effect *effect = &bench->effects.items[i];
        Pot__ConsensusMessage *message;
        if (effect->type != PBFT_BROADCAST && effect->type != PBFT_SEND) {
            continue;
        }
        enum pot_err err = CODEC_DECODE(&message, pot__consensus_message,
                                        effect->bytes, effect->size);
        POT_ASSERT(err == POT_OK);
        if (message->kind_case == kind) {
            return message;
        }
        codec_free(message);
    }
    return NULL;
}

bool bench_has_sent(const struct bench *bench,
                    Pot__ConsensusMessage__KindCase kind)
{
    Pot__ConsensusMessage *message = bench_sent(bench, kind);
    codec_free(message);
    return message != NULL;
}
