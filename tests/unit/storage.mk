# Tests of storage/: all of them share one fixture.
storage_tests = tests/unit/test_overlay tests/unit/test_sign_state \
	tests/unit/test_state_chunk \
	tests/unit/test_state_proof tests/unit/test_store \
	tests/unit/test_store_crash tests/unit/test_store_cure \
	tests/unit/test_store_damage tests/unit/test_store_journal \
	tests/unit/test_store_prune \
	tests/unit/test_store_snapshot
check_PROGRAMS += $(storage_tests)
TESTS += $(storage_tests)

check_LIBRARIES += tests/unit/libstorefixture.a
tests_unit_libstorefixture_a_SOURCES = \
	tests/unit/store_fixture.c tests/unit/store_fixture.h tests/rng.h
tests_unit_libstorefixture_a_CPPFLAGS = $(unit_cppflags)

unit_storage_libs = tests/unit/libstorefixture.a storage/libstorage.a \
	$(unit_proto_libs) $(LMDB_LIBS)
unit_storage_cppflags = $(unit_cppflags) $(LMDB_CFLAGS)

tests_unit_test_overlay_SOURCES = tests/unit/test_overlay.c
tests_unit_test_overlay_CPPFLAGS = $(unit_storage_cppflags)
tests_unit_test_overlay_LDADD = $(unit_storage_libs)

tests_unit_test_sign_state_SOURCES = tests/unit/test_sign_state.c
tests_unit_test_sign_state_CPPFLAGS = $(unit_storage_cppflags)
tests_unit_test_sign_state_LDADD = $(unit_storage_libs)

tests_unit_test_state_proof_SOURCES = tests/unit/test_state_proof.c
tests_unit_test_state_proof_CPPFLAGS = $(unit_storage_cppflags)
tests_unit_test_state_proof_LDADD = $(unit_storage_libs)

tests_unit_test_store_SOURCES = tests/unit/test_store.c
tests_unit_test_store_CPPFLAGS = $(unit_storage_cppflags)
tests_unit_test_store_LDADD = $(unit_storage_libs)

tests_unit_test_store_crash_SOURCES = tests/unit/test_store_crash.c
tests_unit_test_store_crash_CPPFLAGS = $(unit_storage_cppflags)
tests_unit_test_store_crash_LDADD = $(unit_storage_libs)

tests_unit_test_store_cure_SOURCES = tests/unit/test_store_cure.c
tests_unit_test_store_cure_CPPFLAGS = $(unit_storage_cppflags)
tests_unit_test_store_cure_LDADD = $(unit_storage_libs)

tests_unit_test_store_damage_SOURCES = tests/unit/test_store_damage.c
tests_unit_test_store_damage_CPPFLAGS = $(unit_storage_cppflags)
tests_unit_test_store_damage_LDADD = $(unit_storage_libs)

tests_unit_test_store_journal_SOURCES = tests/unit/test_store_journal.c
tests_unit_test_store_journal_CPPFLAGS = $(unit_storage_cppflags)
tests_unit_test_store_journal_LDADD = $(unit_storage_libs)

tests_unit_test_store_prune_SOURCES = tests/unit/test_store_prune.c
tests_unit_test_store_prune_CPPFLAGS = $(unit_storage_cppflags)
tests_unit_test_store_prune_LDADD = $(unit_storage_libs)

tests_unit_test_state_chunk_SOURCES = tests/unit/test_state_chunk.c
tests_unit_test_state_chunk_CPPFLAGS = $(unit_storage_cppflags)
tests_unit_test_state_chunk_LDADD = $(unit_storage_libs)

tests_unit_test_store_snapshot_SOURCES = tests/unit/test_store_snapshot.c
tests_unit_test_store_snapshot_CPPFLAGS = $(unit_storage_cppflags)
tests_unit_test_store_snapshot_LDADD = $(unit_storage_libs)
