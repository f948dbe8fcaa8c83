/* plant_scene: a task with plants, in which a miner of ours submits, beside a
 * node that has the same state in its store. */
#ifndef POT_TESTS_UNIT_PLANT_SCENE_H
#define POT_TESTS_UNIT_PLANT_SCENE_H

#include "tests/unit/intake_fixture.h"
#include "tests/unit/ledger_fixture.h"

struct own_tx_config;

/* Miners 0 and 1 have joined; miner 0 is ours. */
struct plant_scene {
    struct fixture f;
    struct fixture_spec spec;
    struct hash task;
    struct fixture_held held;
    Pot__Signed *own;   /* plant_scene_submit's */
    struct hash secret; /* behind its link */
    struct intake_fixture node;
};

/* plant_scene_open: the first round is open.  plant_scene_close: what sends by
 * the node is freed before. */
void plant_scene_open(struct plant_scene *s, uint32_t plant_rate_ppm);
void plant_scene_close(struct plant_scene *s);

struct key *plant_scene_key(const struct plant_scene *s);
Pot__TaskRecord *plant_scene_record(const struct plant_scene *s);

/* plant_scene_config: of transactions of a key's, by the node. */
struct own_tx_config plant_scene_config(struct plant_scene *s,
                                        const struct key *key);

/* plant_scene_submit: ours, with the link that our key makes, which says that
 * it is planted. */
void plant_scene_submit(struct plant_scene *s);

enum plant_fate { PLANT_REFUSED, PLANT_COUNTED, PLANT_AUDITED };

/* plant_scene_play: the round closes: ours is not counted, or validators accept
 * it, and one of them says to have audited it. */
void plant_scene_play(struct plant_scene *s, enum plant_fate fate);

/* plant_scene_challenge: by a validator, which takes it for a fraud.
 * plant_scene_expose: by our miner, of what was challenged. */
void plant_scene_challenge(struct plant_scene *s);
void plant_scene_expose(struct plant_scene *s);

/* plant_scene_store: the node's state is the fixture's from now on. */
void plant_scene_store(struct plant_scene *s);

/* plant_scene_pending: the transaction that waits in the node's mempool when
 * all is answered; there is no other.  codec_free; NULL: none waits. */
Pot__TxBody *plant_scene_pending(struct plant_scene *s);

#endif
