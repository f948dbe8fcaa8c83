#include "config.h"

#include "tests/unit/ledger_game.h"

void game_open(struct game *g)
{
    *g = (struct game){.held.submission_count = 0};
    fixture_open(&g->f);
    fixture_spec(&g->spec, &g->f);
    fixture_start_task(&g->f, &g->spec, 6000, 3, &g->task);
    g->block = fixture_block(&g->f, 1);
}

void game_close(struct game *g)
{
    fixture_held_clear(&g->held);
    fixture_close(&g->f);
}

void game_hold(struct game *g, size_t miners, size_t validators)
{
    fixture_held_clear(&g->held);
    fixture_hold(&g->f, &g->held, &g->task, miners, validators, 5);
}

enum round_verdict game_make(struct game *g, Pot__RoundUpdate **update)
{
    return fixture_make_round(&g->f, &g->block,
                              fixture_candidate(&g->held, &g->task), update);
}
