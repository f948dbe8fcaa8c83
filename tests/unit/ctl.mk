# What potctl is made of, and genesis.json.
unit_ctl_cppflags = $(unit_cppflags) $(JANSSON_CFLAGS)
unit_ctl_libs = $(ctl_libs) $(CMOCKA_LIBS) -lpthread
unit_ctl_programs = \
	tests/unit/test_ctl_chain_check \
	tests/unit/test_ctl_challenges \
	tests/unit/test_ctl_follow \
	tests/unit/test_ctl_task_file \
	tests/unit/test_ctl_text \
	tests/unit/test_state_compare \
	tests/unit/test_task_replay

check_PROGRAMS += tests/unit/test_genesis $(unit_ctl_programs)
TESTS += tests/unit/test_genesis $(unit_ctl_programs) \
	tests/unit/test_ctl_commands.sh tests/unit/test_ctl_keys.sh \
	tests/unit/test_reliability.sh
EXTRA_DIST += tests/unit/ctl_lib.sh tests/unit/test_ctl_commands.sh \
	tests/unit/test_ctl_keys.sh tests/unit/test_reliability.sh

tests_unit_test_genesis_SOURCES = tests/unit/test_genesis.c
tests_unit_test_genesis_CPPFLAGS = $(unit_cppflags)
tests_unit_test_genesis_LDADD = $(unit_proto_libs) $(JANSSON_LIBS)

# toml++ is C++: what links it links as such.
tests_unit_test_ctl_chain_check_SOURCES = tests/unit/test_ctl_chain_check.c
tests_unit_test_ctl_chain_check_CPPFLAGS = $(unit_ctl_cppflags)
tests_unit_test_ctl_chain_check_LDADD = $(unit_ctl_libs)
tests_unit_test_ctl_challenges_SOURCES = tests/unit/test_ctl_challenges.c
tests_unit_test_ctl_challenges_CPPFLAGS = $(unit_ctl_cppflags)
tests_unit_test_ctl_challenges_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=client_get
tests_unit_test_ctl_challenges_LDADD = $(unit_ctl_libs)
tests_unit_test_ctl_follow_SOURCES = tests/unit/test_ctl_follow.c
tests_unit_test_ctl_follow_CPPFLAGS = $(unit_ctl_cppflags)
tests_unit_test_ctl_follow_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=client_get \
	-Wl,--wrap=ctl_pause
tests_unit_test_ctl_follow_LDADD = $(unit_ctl_libs)
tests_unit_test_ctl_task_file_SOURCES = tests/unit/test_ctl_task_file.c
nodist_EXTRA_tests_unit_test_ctl_task_file_SOURCES = dummy.cxx
tests_unit_test_ctl_task_file_CPPFLAGS = $(unit_ctl_cppflags)
tests_unit_test_ctl_task_file_LDADD = $(unit_ctl_libs)
tests_unit_test_state_compare_SOURCES = tests/unit/test_state_compare.c \
	tests/unit/store_fixture.c tests/unit/store_fixture.h tests/rng.h \
	tests/scratch.h
tests_unit_test_state_compare_CPPFLAGS = $(unit_ctl_cppflags)
tests_unit_test_state_compare_LDADD = ctl/libctl.a ledger/libledger.a \
	$(unit_ctl_libs)
tests_unit_test_ctl_text_SOURCES = tests/unit/test_ctl_text.c
tests_unit_test_ctl_text_CPPFLAGS = $(unit_ctl_cppflags)
tests_unit_test_ctl_text_LDADD = $(unit_ctl_libs)

tests_unit_test_task_replay_SOURCES = tests/unit/test_task_replay.c tests/rng.h
tests_unit_test_task_replay_CPPFLAGS = $(unit_cppflags)
tests_unit_test_task_replay_LDADD = $(replay_libs) training/libtraining.a \
	$(unit_proto_libs) $(ZLIB_LIBS) -lm
