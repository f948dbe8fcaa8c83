/* pbft_case: what cases of PBFT share: a replica on a bench, and a block. */
#ifndef POT_TESTS_UNIT_PBFT_CASE_H
#define POT_TESTS_UNIT_PBFT_CASE_H

#include "tests/unit/pbft_fixture.h"

extern struct bench bench;
extern struct bench_block block; /* view 0's, for height 1 */

extern const Pot__Phase prepare;
extern const Pot__Phase commit;

/* Setups: the last of four, which is the primary of no view that matters;
 * view 0's primary; view 1's; one of one; view 0's primary of two. */
int open_backup(void **state);
int open_primary(void **state);
int open_next_primary(void **state);
int open_alone(void **state);
int open_pair(void **state);
int close_bench(void **state);

/* A backup's way: to where its prepare is out; on to where its commit is,
 * with a prepare of replica 2. */
void backup_prepares(void);
void backup_commits(void);

/* The primary's: to where its pre-prepare is out. */
void primary_proposes(void);

/* The view's timer runs out, and the view change is out. */
void time_out(void);

#define CASE(name, setup)                                                      \
    cmocka_unit_test_setup_teardown(name, setup, close_bench)

#endif
