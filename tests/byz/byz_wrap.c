/* Stands before functions of the node (--wrap in tests/byz/local.mk): calls
 * of X come to __wrap_X, and __real_X is the node's own. */
#include "config.h"

#include "base/alloc.h"
#include "base/check.h"
#include "node/block/guard.h"
#include "node/block/proposal.h"
#include "node/round/own_links.h"
#include "node/round/rounds.h"
#include "node/tx/evidence_pool.h"
#include "node/tx/pending.h"
#include "p2p/net.h"
#include "proto/codec.h"
#include "proto/signed.h"
#include "tests/byz/byz.h"
#include "training/compress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The names are the linker's. */
int __wrap_main(int argc, char **argv);
int __real_main(int argc, char **argv);
struct pbft *__wrap_pbft_new(const struct pbft_config *config,
                             const void *record, size_t size,
                             enum pot_err *err);
struct pbft *__real_pbft_new(const struct pbft_config *config,
                             const void *record, size_t size,
                             enum pot_err *err);
void __wrap_pbft_step(struct pbft *pbft, const struct pbft_event *event,
                      struct pbft_effects *effects);
void __real_pbft_step(struct pbft *pbft, const struct pbft_event *event,
                      struct pbft_effects *effects);
Pot__Signed *__wrap_signed_make(const char *what, const struct hash *chain,
                                const struct key *key, void *body);
Pot__Signed *__real_signed_make(const char *what, const struct hash *chain,
                                const struct key *key, const void *body);
bool __wrap_guard_seen(struct guard *guard, const struct pbft_mark *seen,
                       const struct signature *signature,
                       const struct pbft_mark *own);
void __wrap_pending_collect(struct pending *pending,
                            struct proposal_request *request);
void __real_pending_collect(struct pending *pending,
                            struct proposal_request *request);
void __wrap_evidence_pool_collect(const struct evidence_pool *pool,
                                  struct proposal_request *request);
void __real_evidence_pool_collect(const struct evidence_pool *pool,
                                  struct proposal_request *request);
enum pot_err __wrap_net_open(struct net **out, const struct net_config *config,
                             const struct net_callbacks *callbacks);
enum pot_err __real_net_open(struct net **out, const struct net_config *config,
                             const struct net_callbacks *callbacks);
bool __wrap_net_send(struct net *net, struct peer *peer, uint8_t type,
                     const void *data, size_t size);
bool __real_net_send(struct net *net, struct peer *peer, uint8_t type,
                     const void *data, size_t size);
typedef bool byz_filter_fn(void *context, const struct peer *peer);
size_t __wrap_net_broadcast(struct net *net, uint8_t type, const void *data,
                            size_t size, const struct peer *except);
size_t __real_net_broadcast(struct net *net, uint8_t type, const void *data,
                            size_t size, const struct peer *except);
size_t __wrap_net_multicast(struct net *net, uint8_t type, const void *data,
                            size_t size, byz_filter_fn *filter, void *context);
size_t __real_net_multicast(struct net *net, uint8_t type, const void *data,
                            size_t size, byz_filter_fn *filter, void *context);
void __wrap_compress_payload(uint8_t *out, const struct model_shape *shape,
                             const struct packed_form *form,
                             const int64_t *sums, uint64_t rows);
void __real_compress_payload(uint8_t *out, const struct model_shape *shape,
                             const struct packed_form *form,
                             const int64_t *sums, uint64_t rows);
bool __wrap_rounds_attestation(struct rounds *rounds,
                               const Pot__Signed *message);
bool __real_rounds_attestation(struct rounds *rounds,
                               const Pot__Signed *message);
bool __wrap_own_links_get(struct own_links *links, const struct hash *task,
                          uint32_t rounds, uint32_t round, struct hash *out);
bool __real_own_links_get(struct own_links *links, const struct hash *task,
                          uint32_t rounds, uint32_t round, struct hash *out);

static struct byz byz;
static const struct byz_trick *trick;
static struct net_callbacks node_callbacks;

/* ---- consensus */

struct pbft *__wrap_pbft_new(const struct pbft_config *config,
                             const void *record, size_t size, enum pot_err *err)
{
    struct pbft *pbft = __real_pbft_new(config, record, size, err);
    byz.chain = config->chain;
    byz.key = config->key;
    byz.pbft = pbft;
    return pbft;
}

static void twist(struct pbft_effects *out, struct pbft_effect *effect)
{
    Pot__ConsensusMessage *message = NULL;
    bool is_said = effect->type == PBFT_BROADCAST || effect->type == PBFT_SEND;
    if (!is_said || trick->say == NULL) {
        byz_move(out, effect);
        return;
    }
    enum pot_err err = CODEC_DECODE(&message, pot__consensus_message,
                                    effect->bytes, effect->size);
    POT_ASSERT(err == POT_OK);
    trick->say(&byz, out, effect, message);
    codec_free(message);
}

void __wrap_pbft_step(struct pbft *pbft, const struct pbft_event *event,
                      struct pbft_effects *effects)
{
    struct pbft_effects honest = {0};
    if (event->type == PBFT_MESSAGE && trick->heard != NULL) {
        trick->heard(&byz, event->u.message.message);
    }
    __real_pbft_step(pbft, event, &honest);
    for (size_t i = 0; i < honest.count; i++) {
        twist(effects, &honest.items[i]);
    }
    pbft_effects_fini(&honest);
    if (trick->stepped != NULL) {
        trick->stepped(&byz, event, effects);
    }
}

/* What a liar's tricks signed is on no record of its own, and would stop an
 * honest node. */
bool __wrap_guard_seen(struct guard *guard, const struct pbft_mark *seen,
                       const struct signature *signature,
                       const struct pbft_mark *own)
{
    (void)guard;
    (void)seen;
    (void)signature;
    (void)own;
    return true;
}

void __wrap_pending_collect(struct pending *pending,
                            struct proposal_request *request)
{
    __real_pending_collect(pending, request);
    if (trick->propose != NULL) {
        trick->propose(&byz, request);
    }
}

void __wrap_evidence_pool_collect(const struct evidence_pool *pool,
                                  struct proposal_request *request)
{
    __real_evidence_pool_collect(pool, request);
    if (trick->accuse != NULL) {
        trick->accuse(&byz, request);
    }
}

/* ---- the network */

static void on_tick(void *context, uint64_t now_ms)
{
    byz.now_ms = now_ms;
    if (trick->tick != NULL && byz.pbft != NULL && byz.net != NULL) {
        trick->tick(&byz);
    }
    node_callbacks.on_tick(context, now_ms);
}

enum pot_err __wrap_net_open(struct net **out, const struct net_config *config,
                             const struct net_callbacks *callbacks)
{
    struct net_callbacks ours = *callbacks;
    node_callbacks = *callbacks;
    ours.on_tick = on_tick;
    enum pot_err err = __real_net_open(out, config, &ours);
    byz.net = *out;
    return err;
}

bool __wrap_net_send(struct net *net, struct peer *peer, uint8_t type,
                     const void *data, size_t size)
{
    struct buf out;
    buf_init(&out, SIZE_MAX / 2);
    bool is_other =
        trick->send != NULL && trick->send(&byz, type, data, size, &out);
    bool is_taken = __real_net_send(net, peer, type, is_other ? out.data : data,
                                    is_other ? out.size : size);
    buf_fini(&out);
    return is_taken;
}

size_t __wrap_net_broadcast(struct net *net, uint8_t type, const void *data,
                            size_t size, const struct peer *except)
{
    struct buf out;
    buf_init(&out, SIZE_MAX / 2);
    bool is_other =
        trick->send != NULL && trick->send(&byz, type, data, size, &out);
    size_t taken = __real_net_broadcast(net, type, is_other ? out.data : data,
                                        is_other ? out.size : size, except);
    buf_fini(&out);
    return taken;
}

size_t __wrap_net_multicast(struct net *net, uint8_t type, const void *data,
                            size_t size, byz_filter_fn *filter, void *context)
{
    struct buf out;
    buf_init(&out, SIZE_MAX / 2);
    bool is_other =
        trick->send != NULL && trick->send(&byz, type, data, size, &out);
    size_t taken =
        __real_net_multicast(net, type, is_other ? out.data : data,
                             is_other ? out.size : size, filter, context);
    buf_fini(&out);
    return taken;
}

/* ---- training */

void __wrap_compress_payload(uint8_t *out, const struct model_shape *shape,
                             const struct packed_form *form,
                             const int64_t *sums, uint64_t rows)
{
    __real_compress_payload(out, shape, form, sums, rows);
    if (trick->pack != NULL) {
        trick->pack(out);
    }
}

Pot__Signed *__wrap_signed_make(const char *what, const struct hash *chain,
                                const struct key *key, void *body)
{
    if (trick->submit != NULL && strcmp(what, SIGNED_SUBMISSION) == 0) {
        trick->submit(body);
    }
    if (trick->attest != NULL && strcmp(what, SIGNED_ATTESTATION) == 0) {
        trick->attest(body);
    }
    if (trick->group != NULL && strcmp(what, SIGNED_GROUP) == 0) {
        trick->group(body);
    }
    if (trick->group_word != NULL && strcmp(what, SIGNED_GROUP_WORD) == 0) {
        trick->group_word(body);
    }
    return __real_signed_make(what, chain, key, body);
}

/* ---- rounds */

bool __wrap_rounds_attestation(struct rounds *rounds,
                               const Pot__Signed *message)
{
    if (trick->hear != NULL && byz.pbft != NULL) {
        trick->hear(&byz, message);
    }
    return __real_rounds_attestation(rounds, message);
}

bool __wrap_own_links_get(struct own_links *links, const struct hash *task,
                          uint32_t rounds, uint32_t round, struct hash *out)
{
    bool is_known = __real_own_links_get(links, task, rounds, round, out);
    if (is_known && trick->draw != NULL) {
        trick->draw(task, round, out);
    }
    return is_known;
}

/* ---- which trick */

static const struct byz_trick *const tables[] = {
    byz_votes_tricks,   byz_forge_tricks, byz_primary_tricks,
    byz_payload_tricks, byz_sync_tricks,  byz_words_tricks};

#define TABLES (sizeof(tables) / sizeof(*tables))

static const struct byz_trick *find(const char *name)
{
    for (size_t i = 0; i < TABLES; i++) {
        for (const struct byz_trick *t = tables[i]; t->name != NULL; t++) {
            if (strcmp(t->name, name) == 0) {
                return t;
            }
        }
    }
    return NULL;
}

int __wrap_main(int argc, char **argv)
{
    trick = argc > 1 ? find(argv[1]) : NULL;
    if (trick == NULL) {
        (void)fprintf(stderr,
                      "usage: byz TRICK --config FILE, and as potd; tricks:\n");
        for (size_t i = 0; i < TABLES; i++) {
            for (const struct byz_trick *t = tables[i]; t->name != NULL; t++) {
                (void)fprintf(stderr, "  %-18s %s\n", t->name, t->what);
            }
        }
        return 2;
    }
    argv[1] = argv[0];
    return __real_main(argc - 1, argv + 1);
}
