# Tests of signer/, and of how potd asks it.
check_PROGRAMS += tests/unit/test_remote_signer tests/unit/test_signer
TESTS += tests/unit/test_remote_signer tests/unit/test_signer
unit_signer_libs = signer/libsigner.a storage/libstorage.a \
	$(unit_proto_libs) $(LMDB_LIBS)

tests_unit_test_remote_signer_SOURCES = tests/unit/test_remote_signer.c \
	tests/scratch.h
tests_unit_test_remote_signer_CPPFLAGS = $(unit_cppflags)
tests_unit_test_remote_signer_LDADD = node/block/libblock.a \
	$(unit_signer_libs)

tests_unit_test_signer_SOURCES = tests/unit/test_signer.c tests/rng.h \
	tests/scratch.h
tests_unit_test_signer_CPPFLAGS = $(unit_cppflags)
tests_unit_test_signer_LDADD = $(unit_signer_libs)
