# Tests of p2p/.  Those with peers run them all on one loop.
unit_p2p_cppflags = $(unit_cppflags) $(UV_CFLAGS)
unit_p2p_libs = p2p/libp2p.a $(unit_proto_libs) $(UV_LIBS)
unit_p2p_nodes = tests/unit/p2p_nodes.c tests/unit/p2p_nodes.h

unit_p2p_tests = \
	tests/unit/test_handshake \
	tests/unit/test_frame
check_PROGRAMS += $(unit_p2p_tests)
TESTS += $(unit_p2p_tests)

tests_unit_test_handshake_SOURCES = tests/unit/test_handshake.c
tests_unit_test_handshake_CPPFLAGS = $(unit_p2p_cppflags)
tests_unit_test_handshake_LDADD = $(unit_p2p_libs)

tests_unit_test_frame_SOURCES = tests/unit/test_frame.c
tests_unit_test_frame_CPPFLAGS = $(unit_p2p_cppflags)
tests_unit_test_frame_LDADD = $(unit_p2p_libs)
