# Tests of ledger/ and of what it owns in base/ and proto/.
ledger_numeric_tests = tests/unit/test_aggregate \
	tests/unit/test_aggregate_rules tests/unit/test_evaluate \
	tests/unit/test_fixed tests/unit/test_optimizer \
	tests/unit/test_partial_sum \
	tests/unit/test_round_room tests/unit/test_spec
check_PROGRAMS += $(ledger_numeric_tests)
TESTS += $(ledger_numeric_tests)
unit_ledger_libs = ledger/libledger.a $(unit_proto_libs) -lm

tests_unit_test_fixed_SOURCES = tests/unit/test_fixed.c
tests_unit_test_fixed_CPPFLAGS = $(unit_cppflags)
tests_unit_test_fixed_LDADD = $(unit_base_libs) -lm

tests_unit_test_aggregate_SOURCES = tests/unit/test_aggregate.c \
	tests/unit/ledger_random.h
tests_unit_test_aggregate_CPPFLAGS = $(unit_cppflags)
tests_unit_test_aggregate_LDADD = $(unit_ledger_libs)

tests_unit_test_aggregate_rules_SOURCES = tests/unit/test_aggregate_rules.c \
	tests/unit/ledger_random.h
tests_unit_test_aggregate_rules_CPPFLAGS = $(unit_cppflags)
tests_unit_test_aggregate_rules_LDADD = $(unit_ledger_libs)

tests_unit_test_optimizer_SOURCES = tests/unit/test_optimizer.c \
	tests/unit/ledger_random.h
tests_unit_test_optimizer_CPPFLAGS = $(unit_cppflags)
tests_unit_test_optimizer_LDADD = $(unit_ledger_libs)

tests_unit_test_partial_sum_SOURCES = tests/unit/test_partial_sum.c \
	tests/unit/ledger_random.h
tests_unit_test_partial_sum_CPPFLAGS = $(unit_cppflags)
tests_unit_test_partial_sum_LDADD = $(unit_ledger_libs)

tests_unit_test_round_room_SOURCES = tests/unit/test_round_room.c
tests_unit_test_round_room_CPPFLAGS = $(unit_cppflags)
tests_unit_test_round_room_LDADD = $(unit_proto_libs)

tests_unit_test_spec_SOURCES = tests/unit/test_spec.c
tests_unit_test_spec_CPPFLAGS = $(unit_cppflags)
tests_unit_test_spec_LDADD = $(unit_proto_libs)

tests_unit_test_evaluate_SOURCES = tests/unit/test_evaluate.c \
	tests/unit/ledger_random.h \
	tests/unit/kernel_naive.c tests/unit/kernel_naive.h
tests_unit_test_evaluate_CPPFLAGS = $(unit_cppflags)
tests_unit_test_evaluate_LDADD = $(unit_ledger_libs)

ledger_state_tests = tests/unit/test_draft tests/unit/test_ledger_blocks \
	tests/unit/test_ledger_challenge \
	tests/unit/test_ledger_draws tests/unit/test_ledger_parts \
	tests/unit/test_ledger_plants \
	tests/unit/test_ledger_round tests/unit/test_ledger_round_ends \
	tests/unit/test_ledger_round_lies \
	tests/unit/test_ledger_slash \
	tests/unit/test_ledger_tx
check_PROGRAMS += $(ledger_state_tests)
TESTS += $(ledger_state_tests)
check_LIBRARIES += tests/unit/libledger_fixture.a
unit_fixture_libs = tests/unit/libledger_fixture.a $(unit_ledger_libs)

tests_unit_libledger_fixture_a_SOURCES = \
	tests/unit/evidence_fixture.c tests/unit/evidence_fixture.h \
	tests/unit/ledger_fixture.c tests/unit/ledger_fixture.h \
	tests/unit/ledger_game.c tests/unit/ledger_game.h \
	tests/unit/memory_state.c tests/unit/memory_state.h
tests_unit_libledger_fixture_a_CPPFLAGS = $(unit_cppflags)

tests_unit_test_draft_SOURCES = tests/unit/test_draft.c
tests_unit_test_draft_CPPFLAGS = $(unit_cppflags)
tests_unit_test_draft_LDADD = $(unit_fixture_libs)

tests_unit_test_ledger_challenge_SOURCES = \
	tests/unit/test_ledger_challenge.c
tests_unit_test_ledger_challenge_CPPFLAGS = $(unit_cppflags)
tests_unit_test_ledger_challenge_LDADD = $(unit_fixture_libs)

tests_unit_test_ledger_draws_SOURCES = tests/unit/test_ledger_draws.c \
	tests/unit/ledger_random.h
tests_unit_test_ledger_draws_CPPFLAGS = $(unit_cppflags)
tests_unit_test_ledger_draws_LDADD = $(unit_fixture_libs)

tests_unit_test_ledger_plants_SOURCES = tests/unit/test_ledger_plants.c
tests_unit_test_ledger_plants_CPPFLAGS = $(unit_cppflags)
tests_unit_test_ledger_plants_LDADD = $(unit_fixture_libs)

tests_unit_test_ledger_slash_SOURCES = tests/unit/test_ledger_slash.c
tests_unit_test_ledger_slash_CPPFLAGS = $(unit_cppflags)
tests_unit_test_ledger_slash_LDADD = $(unit_fixture_libs)

tests_unit_test_ledger_tx_SOURCES = tests/unit/test_ledger_tx.c
tests_unit_test_ledger_tx_CPPFLAGS = $(unit_cppflags)
tests_unit_test_ledger_tx_LDADD = $(unit_fixture_libs)

tests_unit_test_ledger_parts_SOURCES = tests/unit/test_ledger_parts.c
tests_unit_test_ledger_parts_CPPFLAGS = $(unit_cppflags)
tests_unit_test_ledger_parts_LDADD = $(unit_fixture_libs)

tests_unit_test_ledger_round_SOURCES = tests/unit/test_ledger_round.c
tests_unit_test_ledger_round_CPPFLAGS = $(unit_cppflags)
tests_unit_test_ledger_round_LDADD = $(unit_fixture_libs)

tests_unit_test_ledger_round_ends_SOURCES = tests/unit/test_ledger_round_ends.c
tests_unit_test_ledger_round_ends_CPPFLAGS = $(unit_cppflags)
tests_unit_test_ledger_round_ends_LDADD = $(unit_fixture_libs)

tests_unit_test_ledger_round_lies_SOURCES = tests/unit/test_ledger_round_lies.c
tests_unit_test_ledger_round_lies_CPPFLAGS = $(unit_cppflags)
tests_unit_test_ledger_round_lies_LDADD = $(unit_fixture_libs)

tests_unit_test_ledger_blocks_SOURCES = tests/unit/test_ledger_blocks.c \
	tests/unit/ledger_random.h
tests_unit_test_ledger_blocks_CPPFLAGS = $(unit_cppflags)
tests_unit_test_ledger_blocks_LDADD = $(unit_fixture_libs)
