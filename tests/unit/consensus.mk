# Tests of consensus/ and of the certificates in proto/.
consensus_libs = consensus/libconsensus.a $(unit_proto_libs)
pbft_bench = tests/unit/pbft_case.c tests/unit/pbft_case.h \
	tests/unit/pbft_fixture.c tests/unit/pbft_fixture.h \
	tests/sim/sim_block.c tests/sim/sim_block.h
consensus_tests = tests/unit/test_certificate tests/unit/test_early \
	tests/unit/test_evidence tests/unit/test_pbft_evidence \
	tests/unit/test_pbft_spare \
	tests/unit/test_pbft_set_change \
	tests/unit/test_pace \
	tests/unit/test_pbft_advance tests/unit/test_pbft_bugs \
	tests/unit/test_pbft_normal tests/unit/test_pbft_record \
	tests/unit/test_pbft_suspicion tests/unit/test_pbft_unsigned \
	tests/unit/test_pbft_verify tests/unit/test_pbft_view_change \
	tests/unit/test_votes tests/unit/test_vouched
check_PROGRAMS += $(consensus_tests)
TESTS += $(consensus_tests)

tests_unit_test_evidence_SOURCES = tests/unit/test_evidence.c \
	tests/unit/evidence_fixture.c tests/unit/evidence_fixture.h
tests_unit_test_evidence_CPPFLAGS = $(unit_cppflags)
tests_unit_test_evidence_LDADD = $(unit_proto_libs)

tests_unit_test_certificate_SOURCES = tests/unit/test_certificate.c
tests_unit_test_certificate_CPPFLAGS = $(unit_cppflags)
tests_unit_test_certificate_LDADD = $(unit_proto_libs)

tests_unit_test_early_SOURCES = tests/unit/test_early.c
tests_unit_test_early_CPPFLAGS = $(unit_cppflags)
tests_unit_test_early_LDADD = $(consensus_libs)

tests_unit_test_pbft_evidence_SOURCES = tests/unit/test_pbft_evidence.c \
	$(pbft_bench)
tests_unit_test_pbft_evidence_CPPFLAGS = $(unit_cppflags)
tests_unit_test_pbft_evidence_LDADD = $(consensus_libs)

tests_unit_test_pbft_spare_SOURCES = tests/unit/test_pbft_spare.c \
	$(pbft_bench)
tests_unit_test_pbft_spare_CPPFLAGS = $(unit_cppflags)
tests_unit_test_pbft_spare_LDADD = $(consensus_libs)

tests_unit_test_pbft_set_change_SOURCES = \
	tests/unit/test_pbft_set_change.c $(pbft_bench)
tests_unit_test_pbft_set_change_CPPFLAGS = $(unit_cppflags)
tests_unit_test_pbft_set_change_LDADD = $(consensus_libs)

tests_unit_test_pbft_bugs_SOURCES = tests/unit/test_pbft_bugs.c $(pbft_bench)
tests_unit_test_pbft_bugs_CPPFLAGS = $(unit_cppflags)
tests_unit_test_pbft_bugs_LDADD = $(consensus_libs)

tests_unit_test_pbft_normal_SOURCES = tests/unit/test_pbft_normal.c \
	$(pbft_bench)
tests_unit_test_pbft_normal_CPPFLAGS = $(unit_cppflags)
tests_unit_test_pbft_normal_LDADD = $(consensus_libs)

tests_unit_test_pbft_advance_SOURCES = tests/unit/test_pbft_advance.c \
	$(pbft_bench)
tests_unit_test_pbft_advance_CPPFLAGS = $(unit_cppflags)
tests_unit_test_pbft_advance_LDADD = $(consensus_libs)

tests_unit_test_pbft_record_SOURCES = tests/unit/test_pbft_record.c \
	$(pbft_bench)
tests_unit_test_pbft_record_CPPFLAGS = $(unit_cppflags)
tests_unit_test_pbft_record_LDADD = $(consensus_libs)

tests_unit_test_pace_SOURCES = tests/unit/test_pace.c
tests_unit_test_pace_CPPFLAGS = $(unit_cppflags)
tests_unit_test_pace_LDADD = $(consensus_libs)

tests_unit_test_pbft_unsigned_SOURCES = tests/unit/test_pbft_unsigned.c \
	$(pbft_bench)
tests_unit_test_pbft_unsigned_CPPFLAGS = $(unit_cppflags)
tests_unit_test_pbft_unsigned_LDADD = $(consensus_libs)

tests_unit_test_pbft_suspicion_SOURCES = tests/unit/test_pbft_suspicion.c \
	$(pbft_bench)
tests_unit_test_pbft_suspicion_CPPFLAGS = $(unit_cppflags)
tests_unit_test_pbft_suspicion_LDADD = $(consensus_libs)

tests_unit_test_pbft_verify_SOURCES = tests/unit/test_pbft_verify.c \
	$(pbft_bench)
tests_unit_test_pbft_verify_CPPFLAGS = $(unit_cppflags)
tests_unit_test_pbft_verify_LDADD = $(consensus_libs)

tests_unit_test_pbft_view_change_SOURCES = \
	tests/unit/test_pbft_view_change.c $(pbft_bench)
tests_unit_test_pbft_view_change_CPPFLAGS = $(unit_cppflags)
tests_unit_test_pbft_view_change_LDADD = $(consensus_libs)

tests_unit_test_votes_SOURCES = tests/unit/test_votes.c
tests_unit_test_votes_CPPFLAGS = $(unit_cppflags)
tests_unit_test_votes_LDADD = $(consensus_libs)

tests_unit_test_vouched_SOURCES = tests/unit/test_vouched.c
tests_unit_test_vouched_CPPFLAGS = $(unit_cppflags)
tests_unit_test_vouched_LDADD = $(consensus_libs)
