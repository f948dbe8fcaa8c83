/* intake_fixture: an intake over a chain_fixture, with its mempool, in a
 * network where nobody else is. */
#ifndef POT_TESTS_UNIT_INTAKE_FIXTURE_H
#define POT_TESTS_UNIT_INTAKE_FIXTURE_H

#include "tests/unit/chain_fixture.h"
#include "tests/unit/lone_net.h"

struct intake;
struct mempool;
struct needs;
struct pending;

struct intake_fixture {
    struct chain_fixture chain;
    struct lone_net net;
    struct needs *needs;
    struct mempool *mempool;
    struct pending *pending;
    struct intake *intake;
    uint64_t answered; /* receipts, as a test counts them */
};

/* intake_fixture_open: a mempool of so many transactions. */
void intake_fixture_open(struct intake_fixture *f, uint64_t txs_max);

/* intake_fixture_run: until everything was answered. */
void intake_fixture_run(struct intake_fixture *f);

/* intake_fixture_close: who sends by itself is freed before. */
void intake_fixture_close(struct intake_fixture *f);

#endif
