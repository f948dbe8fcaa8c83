# A line a test: its program, its one source, what it links.
unit_cppflags = $(AM_CPPFLAGS) $(SODIUM_CFLAGS) $(DECAF_CFLAGS) \
	$(PROTOBUFC_CFLAGS) $(CMOCKA_CFLAGS)
unit_base_libs = base/libbase.a $(BASE_LIBS) $(CMOCKA_LIBS) -lpthread
unit_proto_libs = proto/libproto.a proto/libformats.a $(unit_base_libs) \
	$(PROTOBUFC_LIBS)

include tests/unit/api.mk
include tests/unit/base.mk
include tests/unit/consensus.mk
include tests/unit/ledger.mk
include tests/unit/storage.mk
include tests/unit/training.mk
include tests/unit/node.mk
include tests/unit/p2p.mk
include tests/unit/signer.mk

check_PROGRAMS += tests/unit/test_batch
TESTS += tests/unit/test_batch
tests_unit_test_batch_SOURCES = tests/unit/test_batch.c
tests_unit_test_batch_CPPFLAGS = $(unit_cppflags)
tests_unit_test_batch_LDADD = $(unit_proto_libs)
check_PROGRAMS += tests/unit/test_codec
TESTS += tests/unit/test_codec
tests_unit_test_codec_SOURCES = tests/unit/test_codec.c
tests_unit_test_codec_CPPFLAGS = $(unit_cppflags)
tests_unit_test_codec_LDADD = $(unit_proto_libs)
check_PROGRAMS += tests/unit/test_draw
TESTS += tests/unit/test_draw
tests_unit_test_draw_SOURCES = tests/unit/test_draw.c
tests_unit_test_draw_CPPFLAGS = $(unit_cppflags)
tests_unit_test_draw_LDADD = $(unit_proto_libs)
check_PROGRAMS += tests/unit/test_plant
TESTS += tests/unit/test_plant
tests_unit_test_plant_SOURCES = tests/unit/test_plant.c tests/rng.h
tests_unit_test_plant_CPPFLAGS = $(unit_cppflags)
tests_unit_test_plant_LDADD = $(unit_proto_libs)
check_PROGRAMS += tests/unit/test_docs
TESTS += tests/unit/test_docs
tests_unit_test_docs_SOURCES = tests/unit/test_docs.c
tests_unit_test_docs_CPPFLAGS = $(unit_cppflags)
tests_unit_test_docs_LDADD = $(unit_proto_libs)

include tests/unit/ctl.mk
