#include "config.h"

#include "tests/unit/plant_scene.h"

#include "base/check.h"
#include "node/round/own_links.h"
#include "node/tx/mempool.h"
#include "node/tx/own_tx.h"
#include "proto/codec.h"
#include "proto/signed.h"

#include <string.h>

#define MEMPOOL_TXS 10

struct key *plant_scene_key(const struct plant_scene *s)
{
    return fixture_miner(&s->f, 0);
}

Pot__TaskRecord *plant_scene_record(const struct plant_scene *s)
{
    return ledger_task(&s->f.env.state, &s->task);
}

struct own_tx_config plant_scene_config(struct plant_scene *s,
                                        const struct key *key)
{
    return (struct own_tx_config){
        .holdings = &s->node.chain.holdings,
        .chain = s->node.chain.chain,
        .mempool = s->node.mempool,
        .intake = s->node.intake,
        .key = key,
    };
}

void plant_scene_open(struct plant_scene *s, uint32_t plant_rate_ppm)
{
    memset(s, 0, sizeof(*s));
    fixture_open(&s->f);
    fixture_spec(&s->spec, &s->f);
    s->spec.task.numerics = POT__NUMERICS__NUMERICS_EXACT;
    s->spec.task.miner_stake = 6 * FIXTURE_STAKE / 10;
    s->spec.task.plant_rate_ppm = plant_rate_ppm;
    s->spec.task.min_submissions = 1;
    fixture_start_task(&s->f, &s->spec, 6000, 2, &s->task);
    intake_fixture_open(&s->node, MEMPOOL_TXS);
    POT_ASSERT(hash_equal(&s->node.chain.holdings.chain, &s->f.chain));
}

void plant_scene_close(struct plant_scene *s)
{
    intake_fixture_close(&s->node);
    fixture_held_clear(&s->held);
    codec_free(s->own);
    fixture_close(&s->f);
}

void plant_scene_submit(struct plant_scene *s)
{
    struct hash link;
    Pot__SubmissionBody *body;
    const struct key *key = plant_scene_key(s);
    Pot__TaskRecord *record = plant_scene_record(s);
    uint32_t rounds = record->spec->rounds;
    Pot__Signed *made = fixture_submission(&s->f, key, &s->task, 7);
    struct own_links *links = own_links_new(key, &s->f.chain, "plants");
    bool are_there =
        own_links_get(links, &s->task, rounds, record->round, &link) &&
        own_links_get(links, &s->task, rounds, record->round + 1, &s->secret);
    POT_ASSERT(are_there);
    enum pot_err err = CODEC_DECODE(&body, pot__submission_body,
                                    made->body.data, made->body.len);
    POT_ASSERT(err == POT_OK);
    memcpy(body->link.data, link.b, HASH_SIZE);
    s->own = signed_make(SIGNED_SUBMISSION, &s->f.chain, key, body);
    codec_free(body);
    codec_free(made);
    codec_free(record);
    own_links_free(links);
}

static void hold(struct plant_scene *s, enum plant_fate fate)
{
    struct fixture_held *held = &s->held;
    held->submissions[held->submission_count++] =
        fixture_submission(&s->f, fixture_miner(&s->f, 1), &s->task, 8);
    if (fate != PLANT_REFUSED) {
        held->submissions[held->submission_count++] = signed_copy(s->own);
    }
    for (size_t i = 0; i < 3; i++) {
        bool is_audit = fate == PLANT_AUDITED && i == 2;
        held->attestations[held->attestation_count++] =
            fixture_attestation(&s->f, fixture_validator(&s->f, i), &s->task, 1,
                                held->submissions, held->submission_count,
                                is_audit ? POT__VERDICT__VERDICT_ACCEPT_AUDITED
                                         : POT__VERDICT__VERDICT_ACCEPT);
    }
}

void plant_scene_play(struct plant_scene *s, enum plant_fate fate)
{
    Pot__RoundUpdate *update;
    struct ledger_block block = fixture_block(&s->f, 1);
    hold(s, fate);
    enum round_verdict verdict = fixture_make_round(
        &s->f, &block, fixture_candidate(&s->held, &s->task), &update);
    POT_ASSERT(verdict == ROUND_ACCEPTED);
    verdict = ledger_apply_round(&s->f.env, &block, update,
                                 (struct ledger_trust){false, false});
    POT_ASSERT(verdict == ROUND_ACCEPTED);
    codec_free(update);
    fixture_end_block(&s->f);
}

void plant_scene_challenge(struct plant_scene *s)
{
    Pot__Challenge challenge = POT__CHALLENGE__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    challenge.submission = s->own;
    body.action_case = POT__TX_BODY__ACTION_CHALLENGE;
    body.challenge = &challenge;
    enum tx_verdict verdict =
        fixture_apply(&s->f, fixture_validator(&s->f, 1), &body);
    POT_ASSERT(verdict == TX_ACCEPTED);
    fixture_end_block(&s->f);
}

void plant_scene_expose(struct plant_scene *s)
{
    struct hash submission;
    Pot__ExposePlant expose = POT__EXPOSE_PLANT__INIT;
    Pot__TxBody body = POT__TX_BODY__INIT;
    signed_hash(&submission, SIGNED_SUBMISSION, s->own);
    expose.submission = codec_bytes(submission.b, HASH_SIZE);
    expose.plant = codec_bytes(s->secret.b, HASH_SIZE);
    body.action_case = POT__TX_BODY__ACTION_EXPOSE_PLANT;
    body.expose_plant = &expose;
    enum tx_verdict verdict = fixture_apply(&s->f, plant_scene_key(s), &body);
    POT_ASSERT(verdict == TX_ACCEPTED);
    fixture_end_block(&s->f);
}

static void write_map(const struct ledger_env *env, const void *what)
{
    const struct memory_map *map = what;
    for (size_t i = 0; i < map->count; i++) {
        const struct memory_entry *e = &map->entries[i];
        env->state.put(env->state.context, e->key, e->key_size, e->value,
                       e->value_size);
    }
}

void plant_scene_store(struct plant_scene *s)
{
    chain_fixture_store(&s->node.chain, write_map, &s->f.memory.map);
}

Pot__TxBody *plant_scene_pending(struct plant_scene *s)
{
    Pot__TxBody *body = NULL;
    intake_fixture_run(&s->node);
    const struct mempool_entry *first = mempool_first(s->node.mempool);
    if (first != NULL) {
        POT_ASSERT(mempool_count(s->node.mempool) == 1);
        enum pot_err err = CODEC_DECODE(
            &body, pot__tx_body, first->tx->body.data, first->tx->body.len);
        POT_ASSERT(err == POT_OK);
    }
    return body;
}
