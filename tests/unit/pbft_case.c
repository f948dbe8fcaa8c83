#include "config.h"

#include "tests/unit/pbft_case.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct bench bench;
struct bench_block block;
const Pot__Phase prepare = POT__PHASE__PHASE_PREPARE;
const Pot__Phase commit = POT__PHASE__PHASE_COMMIT;

static int open_as(uint32_t n, uint32_t self)
{
    bench_open(&bench, n, self);
    block = bench_block(&bench, 0, 1);
    return 0;
}

int open_backup(void **state)
{
    (void)state;
    return open_as(4, 3);
}

int open_primary(void **state)
{
    (void)state;
    return open_as(4, 0);
}

int open_next_primary(void **state)
{
    (void)state;
    return open_as(4, 1);
}

int open_alone(void **state)
{
    (void)state;
    return open_as(1, 0);
}

int open_pair(void **state)
{
    (void)state;
    return open_as(2, 0);
}

int close_bench(void **state)
{
    (void)state;
    bench_block_fini(&block);
    bench_close(&bench);
    return 0;
}

void backup_prepares(void)
{
    assert_true(bench_pre_prepare(&bench, 0, &block));
    bench_checked(&bench, &block, true);
    bench_persist(&bench);
    assert_true(bench_has_sent(&bench, SENT(PREPARE)));
}

void backup_commits(void)
{
    backup_prepares();
    assert_true(bench_vote(&bench, prepare, 2, 1, 0, &block.digest));
    bench_persist(&bench);
    assert_true(bench_has_sent(&bench, SENT(COMMIT)));
}

void primary_proposes(void)
{
    bench_work(&bench);
    bench_proposal(&bench, &block, 0);
    bench_checked(&bench, &block, true);
    bench_persist(&bench);
}

void time_out(void)
{
    bench_timer(&bench, PBFT_TIMER_VIEW);
    bench_persist(&bench);
}
