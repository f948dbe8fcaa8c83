# What potctl is made of, and genesis.json.
check_PROGRAMS += tests/unit/test_genesis
TESTS += tests/unit/test_genesis
tests_unit_test_genesis_SOURCES = tests/unit/test_genesis.c
tests_unit_test_genesis_CPPFLAGS = $(unit_cppflags)
tests_unit_test_genesis_LDADD = $(unit_proto_libs) $(JANSSON_LIBS)
