/* ledger_game: a task whose round is open, for tests of rounds. */
#ifndef POT_TESTS_UNIT_LEDGER_GAME_H
#define POT_TESTS_UNIT_LEDGER_GAME_H

#include "ledger/round_update.h"
#include "tests/unit/ledger_fixture.h"

struct game {
    struct fixture f;
    struct fixture_spec spec;
    struct hash task;
    struct fixture_held held;
    struct ledger_block block;
};

/* game_open: three miners, and the first round open.  game_close: after it. */
void game_open(struct game *g);
void game_close(struct game *g);

/* game_hold: submissions of so many miners, which so many validators accept;
 * what was held before is gone. */
void game_hold(struct game *g, size_t miners, size_t validators);

/* game_make: ledger_make_round of what is held. */
enum round_verdict game_make(struct game *g, Pot__RoundUpdate **update);

#endif
