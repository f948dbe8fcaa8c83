/* A miner's life in the swarm, with what makes each step:
 *
 *   connected --> stakes and joins --> in each round: computes, commits
 *        ^                               |  told to: reveals its submission
 *        |                               |  asked for: hands out the payload
 *        '---- back from away, dead <----'
 *
 * One that was not counted for as long as a task waits for it was dropped, and
 * asks to join again. */
#include "config.h"

#include "tests/bench/swarm_miners.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/fixed.h"
#include "p2p/message.h"
#include "p2p/net.h"
#include "proto/blob.h"
#include "proto/codec.h"
#include "proto/dataset.h"
#include "proto/fee.h"
#include "proto/packed.h"
#include "proto/round.h"
#include "proto/signed.h"
#include "proto/wire.pb-c.h"
#include "tests/bench/swarm_order.h"
#include "tests/rng.h"
#include "training/assign.h"
#include "training/compress.h"
#include "training/exact.h"
#include "training/mlp.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#define RESEND_MS         3000
#define DATASET_BYTES_MAX ((size_t)64 << 20)

struct swarm;

struct swarm_miner {
    struct swarm *swarm;
    uint32_t index;
    struct key *key;
    struct net *net; /* NULL: away, or dead */
    bool is_closing;
    uint64_t nonce;
    bool is_in;         /* it was counted once */
    uint32_t uncounted; /* rounds in a row, since it last joined */
    uint8_t *payload;
    Pot__Signed *submission; /* of the round */
    Pot__Signed *commitment; /* to it */
    struct hash payload_hash;
};

struct swarm {
    const struct swarm_miners_config *config;
    uv_loop_t loop;
    uv_pipe_t pipe;
    uv_idle_t work; /* computes: one miner a turn */
    uv_timer_t resend;
    struct swarm_miner *miners;
    struct swarm_order order;
    size_t order_size; /* of it, read so far */
    struct swarm_answer answer;
    uint32_t next; /* miner that computes next */
    struct dataset dataset;
    struct mlp *mlp;
    struct packed_form form;
    size_t payload_size;
    uint64_t *rows;
    int64_t *sums;
};

/* ---- what a miner says */

static struct peer *host_of(const struct swarm_miner *m)
{
    bool is_up = m->net != NULL && !m->is_closing && net_peer_count(m->net) > 0;
    return is_up ? net_peer_at(m->net, 0) : NULL;
}

static bool say(struct swarm_miner *m, uint8_t type, const void *data,
                size_t size)
{
    struct peer *peer = host_of(m);
    return peer != NULL && net_send(m->net, peer, type, data, size);
}

static bool say_signed(struct swarm_miner *m, uint8_t type,
                       const Pot__Signed *message)
{
    size_t size;
    uint8_t *data = codec_encode(&size, message);
    bool is_sent = say(m, type, data, size);
    free(data);
    return is_sent;
}

static void say_tx(struct swarm_miner *m, Pot__TxBody *body)
{
    const struct hash *chain = &m->swarm->config->chain;
    body->chain_id = codec_bytes(chain->b, HASH_SIZE);
    body->nonce = m->nonce;
    body->fee = fee_estimate(m->swarm->config->params, body).units;
    Pot__Signed *tx = signed_make(SIGNED_TX, chain, m->key, body);
    if (say_signed(m, MESSAGE_TX, tx)) {
        m->nonce++;
    }
    codec_free(tx);
}

static void say_stake(struct swarm_miner *m)
{
    Pot__Stake stake = POT__STAKE__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    stake.role = POT__STAKE_ROLE__STAKE_MINER;
    stake.amount = m->swarm->config->stake;
    body.action_case = POT__TX_BODY__ACTION_STAKE;
    body.stake = &stake;
    say_tx(m, &body);
}

static void say_join(struct swarm_miner *m)
{
    Pot__JoinTask join = POT__JOIN_TASK__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    join.task = codec_bytes(m->swarm->config->task.b, HASH_SIZE);
    body.action_case = POT__TX_BODY__ACTION_JOIN_TASK;
    body.join_task = &join;
    say_tx(m, &body);
    m->uncounted = 0;
}

static void hand_out(struct swarm_miner *m, const uint8_t *data, size_t size)
{
    Pot__GetBlob *asked = NULL;
    Pot__BlobPiece piece = POT__BLOB_PIECE__INIT;
    size_t encoded;
    if (CODEC_DECODE(&asked, pot__get_blob, data, size) != POT_OK) {
        return;
    }
    piece.hash = asked->hash;
    piece.offset = asked->offset;
    size_t total = m->swarm->payload_size;
    if (codec_bytes_equal(asked->hash, m->payload_hash.b, HASH_SIZE) &&
        asked->offset < total) {
        piece.total = total;
        piece.data =
            codec_bytes(m->payload + asked->offset, total - asked->offset);
    }
    uint8_t *message = codec_encode(&encoded, &piece);
    (void)say(m, MESSAGE_BLOB_PIECE, message, encoded);
    free(message);
    codec_free(asked);
}

static void on_message(void *context, struct peer *peer, uint8_t type,
                       const uint8_t *data, size_t size)
{
    (void)peer;
    if (type == MESSAGE_GET_BLOB) {
        hand_out(context, data, size);
    }
}

static void on_peer(void *context, struct peer *peer, bool is_up)
{
    struct swarm_miner *m = context;
    if (!is_up) {
        m->swarm->answer.bytes_in += peer_bytes_in(peer);
        m->swarm->answer.bytes_out += peer_bytes_out(peer);
        return;
    }
    if (!m->is_in) { /* a connection that broke has lost what was said */
        m->nonce = 0;
        say_stake(m);
        say_join(m);
    }
}

/* ---- coming and going */

static void come(struct swarm_miner *m)
{
    const struct swarm_miners_config *c = m->swarm->config;
    const struct net_config config = {
        .loop = &m->swarm->loop,
        .chain = c->chain,
        .key = m->key,
        .moniker = "swarm",
        .peers = &c->hosts[m->index % c->host_count],
        .peer_count = 1,
        .handshake_ms = 30000,
        .redial_max_ms = 1000,
    };
    const struct net_callbacks callbacks = {
        .context = m, .on_message = on_message, .on_peer = on_peer};
    if (m->net == NULL) {
        enum pot_err err = net_open(&m->net, &config, &callbacks);
        POT_ASSERT(err == POT_OK);
    }
}

static void on_gone(void *context)
{
    struct swarm_miner *m = context;
    m->net = NULL;
    m->is_closing = false;
    if (swarm_act(m->index, m->swarm->order.round) != SWARM_AWAY) {
        come(m);
    }
}

static void go(struct swarm_miner *m)
{
    if (m->net != NULL && !m->is_closing) {
        m->is_closing = true;
        net_close(m->net, on_gone, m);
    }
}

/* ---- a gradient */

/* The mean loss, Q40.24. */
static int64_t compute(struct swarm_miner *m)
{
    struct swarm *s = m->swarm;
    size_t rows = s->config->rows;
    int64_t loss_sum;
    assign_rows(s->rows, rows, &(struct assign_from){.rows = s->dataset.rows},
                &s->order.seed, key_public(m->key));
    bool is_finite =
        mlp_sum(s->sums, &loss_sum, s->mlp, &s->dataset, s->rows, rows);
    POT_ASSERT(is_finite);
    compress_payload(m->payload, &s->config->shape, &s->form, s->sums, rows);
    return fixed_divide(loss_sum, (int64_t)rows);
}

/* Of the right form and size, and nothing else. */
static void make_noise(struct swarm_miner *m)
{
    const struct model_shape *shape = &m->swarm->config->shape;
    int8_t exponents[TENSORS_MAX] = {0};
    int32_t *values = pot_calloc(shape->parameter_count, sizeof(*values));
    uint64_t random = m->index + m->swarm->order.round;
    memset(exponents, -12, sizeof(exponents));
    for (size_t i = 0; i < shape->parameter_count; i++) {
        values[i] = (int32_t)(rng_next(&random) % 255) - 127;
    }
    packed_encode(m->payload, shape, &m->swarm->form, exponents, values);
    free(values);
}

static void make_submission(struct swarm_miner *m, int64_t loss)
{
    struct swarm *s = m->swarm;
    char core[] = "swarm";
    uint8_t salt[HASH_SIZE];
    Pot__SubmissionBody body = POT__SUBMISSION_BODY__INIT;
    blob_hash(&m->payload_hash, m->payload, s->payload_size);
    randombytes_buf(salt, sizeof(salt));
    body.task = codec_bytes(s->order.task.b, HASH_SIZE);
    body.round = s->order.round;
    body.parameters_hash = codec_bytes(s->order.parameters_hash.b, HASH_SIZE);
    body.rows = s->config->rows;
    body.payload_hash = codec_bytes(m->payload_hash.b, HASH_SIZE);
    body.payload_bytes = s->payload_size;
    body.loss = loss;
    body.blas_core = core;
    body.workers = 1;
    body.salt = codec_bytes(salt, sizeof(salt));
    codec_free(m->submission);
    m->submission =
        signed_make(SIGNED_SUBMISSION, &s->config->chain, m->key, &body);
}

static void make_commitment(struct swarm_miner *m)
{
    struct swarm *s = m->swarm;
    struct hash digest;
    Pot__CommitmentBody body = POT__COMMITMENT_BODY__INIT;
    round_commitment_digest(&digest, m->submission);
    body.task = codec_bytes(s->order.task.b, HASH_SIZE);
    body.round = s->order.round;
    body.digest = codec_bytes(digest.b, HASH_SIZE);
    codec_free(m->commitment);
    m->commitment =
        signed_make(SIGNED_COMMITMENT, &s->config->chain, m->key, &body);
}

static void commit(struct swarm_miner *m, enum swarm_act act)
{
    int64_t loss = compute(m);
    if (act == SWARM_CHEATS) {
        make_noise(m);
    }
    make_submission(m, loss);
    make_commitment(m);
    m->swarm->answer.has_sent[m->index] =
        say_signed(m, MESSAGE_COMMITMENT, m->commitment);
}

static void reveal(struct swarm_miner *m)
{
    const struct swarm *s = m->swarm;
    if (swarm_act(m->index, s->order.round) == SWARM_DIES) {
        m->swarm->answer.has_sent[m->index] = 0;
        go(m);
    } else if (s->answer.has_sent[m->index] != 0) {
        (void)say_signed(m, MESSAGE_SUBMISSION, m->submission);
    }
}

/* ---- a round */

static void take_part(struct swarm_miner *m)
{
    struct swarm *s = m->swarm;
    enum swarm_act act = swarm_act(m->index, s->order.round);
    bool was_counted = s->order.was_counted[m->index] != 0;
    m->is_in = m->is_in || was_counted;
    m->uncounted = was_counted ? 0 : m->uncounted + 1;
    if (act == SWARM_AWAY) {
        go(m);
        return;
    }
    come(m);
    if (host_of(m) == NULL) {
        return; /* it has just come back, or its handshake goes on */
    }
    s->answer.connected++;
    if (m->uncounted >= s->config->params->absent_rounds_max) {
        say_join(m);
    }
    commit(m, act);
}

/* The parent has read all that came before: there is room for it. */
static void answer(struct swarm *s)
{
    struct swarm_answer out = s->answer;
    for (uint32_t i = 0; i < s->config->count; i++) {
        const struct peer *peer = host_of(&s->miners[i]);
        out.bytes_in += peer != NULL ? peer_bytes_in(peer) : 0;
        out.bytes_out += peer != NULL ? peer_bytes_out(peer) : 0;
    }
    int fd;
    int rc = uv_fileno((uv_handle_t *)&s->pipe, &fd);
    POT_ASSERT(rc == 0);
    if (file_write_all(fd, &out, sizeof(out)) != POT_OK) {
        uv_stop(&s->loop);
    }
}

static void on_work(uv_idle_t *idle)
{
    struct swarm *s = idle->data;
    uint64_t start_us = clock_steady_us();
    if (s->order.step == SWARM_COMMIT) {
        take_part(&s->miners[s->next]);
    } else {
        reveal(&s->miners[s->next]);
    }
    s->answer.computing_us += clock_steady_us() - start_us;
    if (++s->next == s->config->count) {
        (void)uv_idle_stop(idle);
        answer(s);
    }
}

static void begin_round(struct swarm *s)
{
    s->answer.round = s->order.round;
    s->answer.connected = 0;
    s->answer.computing_us = 0;
    memset(s->answer.has_sent, 0, sizeof(s->answer.has_sent));
    mlp_set_parameters(s->mlp, s->order.theta);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct swarm *s = handle->data;
    (void)suggested;
    *out = uv_buf_init((char *)&s->order + s->order_size,
                       (unsigned)(sizeof(s->order) - s->order_size));
}

/* The parent sends the next order only once it has the answer. */
static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct swarm *s = stream->data;
    (void)buffer;
    if (count < 0) {
        uv_stop(&s->loop);
        return;
    }
    s->order_size += (size_t)count;
    if (s->order_size == sizeof(s->order)) {
        s->order_size = 0;
        s->next = 0;
        if (s->order.step == SWARM_COMMIT) {
            begin_round(s);
        }
        (void)uv_idle_start(&s->work, on_work);
    }
}

/* As potd does: a node that had too much to do took no notice. */
static void on_resend(uv_timer_t *timer)
{
    const struct swarm *s = timer->data;
    for (uint32_t i = 0; i < s->config->count; i++) {
        struct swarm_miner *m = &s->miners[i];
        if (s->answer.has_sent[m->index] != 0) {
            (void)say_signed(m, MESSAGE_COMMITMENT, m->commitment);
        }
        if (s->answer.has_sent[m->index] != 0 &&
            s->order.step == SWARM_REVEAL) {
            reveal(m);
        }
    }
}

/* ---- the process */

static void open_trainer(struct swarm *s)
{
    const struct swarm_miners_config *c = s->config;
    const struct product *variants[EXACT_VARIANTS_MAX];
    char *data = NULL; /* kept: the process ends with it */
    size_t size = 0;
    (void)exact_variants(variants);
    exact_set_rounding();
    enum pot_err err = file_read(&data, &size, c->dataset, DATASET_BYTES_MAX);
    POT_ASSERT(err == POT_OK);
    err = dataset_view(&s->dataset, data, size);
    POT_ASSERT(err == POT_OK);
    const struct mlp_config config = {
        .shape = c->shape,
        .activation = POT__ACTIVATION__ACTIVATION_RELU,
        .loss = POT__LOSS__LOSS_SOFTMAX_CROSS_ENTROPY,
        .product = variants[0],
        .block_rows = assign_block_rows(c->rows),
    };
    s->mlp = mlp_new(&config);
    s->form.compression = POT__COMPRESSION__COMPRESSION_INT8;
    s->payload_size = packed_bytes(&c->shape, &s->form);
    s->rows = pot_calloc(c->rows, sizeof(*s->rows));
    s->sums = pot_calloc(c->shape.parameter_count, sizeof(*s->sums));
}

static void open_miners(struct swarm *s)
{
    const struct swarm_miners_config *c = s->config;
    s->miners = pot_calloc(c->count, sizeof(*s->miners));
    for (uint32_t i = 0; i < c->count; i++) {
        struct swarm_miner *m = &s->miners[i];
        m->swarm = s;
        m->index = c->first + i;
        m->key = swarm_key(&c->secret, m->index);
        m->payload = pot_calloc(s->payload_size, 1);
        come(m);
    }
}

/* Nothing is released: the process ends. */
void swarm_miners_run(const struct swarm_miners_config *config, int fd)
{
    struct swarm *s = pot_calloc(1, sizeof(*s));
    s->config = config;
    int rc = uv_loop_init(&s->loop);
    POT_ASSERT(rc == 0);
    (void)uv_pipe_init(&s->loop, &s->pipe, 0);
    (void)uv_idle_init(&s->loop, &s->work);
    (void)uv_timer_init(&s->loop, &s->resend);
    s->resend.data = s;
    s->pipe.data = s;
    s->work.data = s;
    rc = uv_pipe_open(&s->pipe, fd);
    POT_ASSERT(rc == 0);
    open_trainer(s);
    open_miners(s);
    (void)uv_timer_start(&s->resend, on_resend, RESEND_MS, RESEND_MS);
    rc = uv_read_start((uv_stream_t *)&s->pipe, on_alloc, on_read);
    POT_ASSERT(rc == 0);
    (void)uv_run(&s->loop, UV_RUN_DEFAULT);
}
