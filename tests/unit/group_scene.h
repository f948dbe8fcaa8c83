/* group_scene: a task with four submissions, whose payloads a node has; four
 * validators, of whom two open each group; an aggregator; and what the node's
 * rounds share. */
#ifndef POT_TESTS_UNIT_GROUP_SCENE_H
#define POT_TESTS_UNIT_GROUP_SCENE_H

#include <stdbool.h>

#include "node/round/group_sum.h"
#include "node/round/rounds_shared.h"
#include "proto/group.h"
#include "proto/model.h"
#include "proto/round.h"
#include "tests/unit/chain_fixture.h"
#include "tests/unit/lone_net.h"
#include "tests/unit/small_task.h"

#define SCENE_VALIDATORS 4
#define SCENE_MEMBERS    4

enum { SUM_RIGHT, SUM_WRONG, ROOT_WRONG, SUM_FAULTS };

struct group_scene {
    struct chain_fixture f;
    struct lone_net net;
    struct validator_set set;
    struct key *keys[SCENE_VALIDATORS]; /* the first one is this node's */
    struct key *aggregator;
    struct hash task;
    Pot__TaskRecord *record;
    struct model_shape shape;
    struct round_submission submissions[SCENE_MEMBERS];
    Pot__Signed *messages[SCENE_MEMBERS];
    struct hash members[SCENE_MEMBERS]; /* their names, ascending */
    struct blob_fetch *fetch;
    struct rounds_shared shared; /* the first validator's; without audits and an
                                    accuser, and nobody is told of news */
    struct group_sums sums;      /* the aggregator's */
    struct group_result made;    /* of the last group */
    bool is_made;
};

void group_scene_open(struct group_scene *s);

/* group_scene_close: what uses it is freed before. */
void group_scene_close(struct group_scene *s);

/* group_scene_record: one of the task more; codec_free releases it. */
Pot__TaskRecord *group_scene_record(const struct group_scene *s);

/* group_scene_submit: of the miner with the same key as a validator; its
 * payload is in the pool. */
void group_scene_submit(struct group_scene *s, size_t i);

/* group_scene_drop_payloads: they leave the pool, where sums stay. */
void group_scene_drop_payloads(struct group_scene *s);

/* group_scene_find: NULL: none of them. */
const struct round_submission *group_scene_find(const struct group_scene *s,
                                                const struct hash *member);

/* group_scene_make: a group of the first count members, which this node opens
 * or not; group_fini releases it. */
void group_scene_make(struct group_scene *s, struct group *out, size_t count,
                      bool is_drawn, int fault);

/* group_scene_make_of: the same, of count members from the first one on. */
void group_scene_make_of(struct group_scene *s, struct group *out, size_t first,
                         size_t count, bool is_drawn, int fault);

/* group_scene_run: the loop until it is over, or the test fails. */
void group_scene_run(struct group_scene *s, bool (*is_over)(void *context),
                     void *context);

#endif
