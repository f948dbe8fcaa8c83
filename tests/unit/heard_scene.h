/* heard_scene: the groups of a round as the first validator of a group_scene
 * hears of them, and what they ask for. */
#ifndef POT_TESTS_UNIT_HEARD_SCENE_H
#define POT_TESTS_UNIT_HEARD_SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/round/groups.h"
#include "node/round/rounds_shared.h"
#include "tests/unit/group_scene.h"

struct heard_scene {
    struct group_scene s;
    struct groups *groups;
    bool are_open; /* the payloads of all submissions */
    unsigned vouched;
    unsigned lone;
    unsigned liars;
};

/* heard_set_up, _tear_down: a test's whose state is a scene. */
int heard_set_up(void **state);
int heard_tear_down(void **state);

#define HEARD_TEST(name)                                                       \
    cmocka_unit_test_setup_teardown(name, heard_set_up, heard_tear_down)

/* heard_open_anew: other groups in place of those that there are, if any; the
 * loop's time is the clock's again. */
void heard_open_anew(struct heard_scene *t);

/* heard_trust: the aggregator's last group was right. */
void heard_trust(struct heard_scene *t);

/* heard_is_trusted: its groups are waited for.  heard_is_silent: the
 * validator's last word was none. */
bool heard_is_trusted(const struct heard_scene *t);
bool heard_is_silent(const struct heard_scene *t,
                     const struct public_key *validator);

/* heard_take: a group of the first count members; as it is kept, to speak of
 * it. */
struct group heard_take(struct heard_scene *t, size_t count, bool is_drawn,
                        int fault);

/* heard_say: of the other validators that are drawn, or of those that are not,
 * so many at most say so; how many have. */
unsigned heard_say(struct heard_scene *t, const struct group *group,
                   bool are_drawn, bool is_right, unsigned most);

/* heard_waiting: how many members are told to wait. */
unsigned heard_waiting(struct heard_scene *t);

void heard_pass(struct heard_scene *t, uint64_t time_ms);

/* heard_decide: the loop until this validator has said a word. */
void heard_decide(struct heard_scene *t);

/* heard_knows_sum: the last group's stands for its members' payloads. */
bool heard_knows_sum(const struct heard_scene *t);

#endif
