/* pbft_fixture: one replica on a bench; the test plays all the others. */
#ifndef POT_TESTS_UNIT_PBFT_FIXTURE_H
#define POT_TESTS_UNIT_PBFT_FIXTURE_H

#include "consensus/pbft.h"
#include "consensus/pbft_message.h"
#include "proto/codec.h"

#define BENCH_MAX     7
#define BENCH_TIMEOUT 100
#define BENCH_CAP     800
#define BENCH_IDLE    1000

struct bench_block {
    uint8_t *data;
    size_t size;
    struct hash digest;
    uint64_t view;
};

struct bench {
    struct hash chain;
    struct hash tip;
    struct validator_set set;
    struct key *keys[BENCH_MAX];
    uint32_t self;
    uint64_t height; /* committed */
    uint64_t now_ms; /* of the next step */
    struct pbft *pbft;
    struct pbft_effects effects; /* of the last step */
    uint8_t *record;             /* the last durable one */
    size_t record_size;
    uint64_t sequence; /* of the last PERSIST seen */
};

/* bench_open: replica self of n, at height 1, started. */
void bench_open(struct bench *bench, uint32_t n, uint32_t self);
void bench_close(struct bench *bench);

/* bench_restart: as after a crash: only the durable record is left. */
void bench_restart(struct bench *bench);
struct pbft_config bench_config(const struct bench *bench);

void bench_step(struct bench *bench, const struct pbft_event *event);
void bench_timer(struct bench *bench, enum pbft_timer timer);
void bench_work(struct bench *bench);
void bench_proposal(struct bench *bench, const struct bench_block *block,
                    uint64_t view);
void bench_checked(struct bench *bench, const struct bench_block *block,
                   bool is_valid);
/* bench_persist: the last record asked for is durable. */
void bench_persist(struct bench *bench);
void bench_committed(struct bench *bench, uint64_t height, uint64_t view,
                     const struct hash *digest);

/* bench_block: a fresh block of view's primary for height 1. */
struct bench_block bench_block(const struct bench *bench, uint64_t view,
                               uint64_t salt);
void bench_block_fini(struct bench_block *block);

/* bench_message: decodes, verifies what is not spare, and steps; false when it
 * is refused. */
bool bench_message(struct bench *bench, uint32_t from, const uint8_t *bytes,
                   size_t size);
bool bench_vote(struct bench *bench, Pot__Phase phase, uint32_t replica,
                uint64_t height, uint64_t view, const struct hash *digest);
bool bench_pre_prepare(struct bench *bench, uint64_t view,
                       const struct bench_block *block);
/* A view change of replica; prepared may be NULL. */
Pot__ViewChange *bench_view_change(const struct bench *bench, uint32_t replica,
                                   uint64_t view,
                                   const Pot__PreparedCertificate *prepared);
bool bench_send_view_change(struct bench *bench, uint32_t replica,
                            uint64_t view,
                            const Pot__PreparedCertificate *prepared);
Pot__PreparedCertificate *bench_prepared(const struct bench *bench,
                                         uint64_t view,
                                         const struct hash *digest);
bool bench_new_view(struct bench *bench, uint64_t view,
                    Pot__ViewChange **changes, size_t count);

bool bench_suspicion(struct bench *bench, uint32_t replica, uint64_t height,
                     uint64_t view, Pot__Cause cause);
/* bench_suspect: the caller says that view's primary leaves out work. */
void bench_suspect(struct bench *bench, uint64_t view);

/* bench_find: the first effect of a type in the last step, or NULL. */
const struct pbft_effect *bench_find(const struct bench *bench,
                                     enum pbft_effect_type type);
const struct pbft_effect *bench_find_timer(const struct bench *bench,
                                           enum pbft_timer timer);
/* bench_sent: the first message of a kind sent in the last step, or NULL;
 * codec_free. */
Pot__ConsensusMessage *bench_sent(const struct bench *bench,
                                  Pot__ConsensusMessage__KindCase kind);
bool bench_has_sent(const struct bench *bench,
                    Pot__ConsensusMessage__KindCase kind);

#define SENT(name) POT__CONSENSUS_MESSAGE__KIND_##name

#endif
