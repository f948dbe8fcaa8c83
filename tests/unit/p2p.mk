# Tests of p2p/.  Those with peers run them all on one loop.
unit_p2p_cppflags = $(unit_cppflags) $(UV_CFLAGS)
unit_p2p_libs = p2p/libp2p.a $(unit_proto_libs) $(UV_LIBS)
unit_p2p_nodes = tests/unit/p2p_nodes.c tests/unit/p2p_nodes.h
unit_fetch_node = tests/unit/fetch_node.c tests/unit/fetch_node.h \
	$(unit_p2p_nodes)
unit_hearers = tests/unit/hearers.c tests/unit/hearers.h $(unit_p2p_nodes)

unit_p2p_tests = \
	tests/unit/test_handshake \
	tests/unit/test_frame \
	tests/unit/test_net \
	tests/unit/test_net_hostile \
	tests/unit/test_accept_rate \
	tests/unit/test_ban \
	tests/unit/test_gossip \
	tests/unit/test_blob_fetch \
	tests/unit/test_claims \
	tests/unit/test_sync \
	tests/unit/test_sync_plan
check_PROGRAMS += $(unit_p2p_tests)
TESTS += $(unit_p2p_tests)

tests_unit_test_handshake_SOURCES = tests/unit/test_handshake.c
tests_unit_test_handshake_CPPFLAGS = $(unit_p2p_cppflags)
tests_unit_test_handshake_LDADD = $(unit_p2p_libs)

tests_unit_test_frame_SOURCES = tests/unit/test_frame.c
tests_unit_test_frame_CPPFLAGS = $(unit_p2p_cppflags)
tests_unit_test_frame_LDADD = $(unit_p2p_libs)

tests_unit_test_net_SOURCES = tests/unit/test_net.c $(unit_p2p_nodes)
tests_unit_test_net_CPPFLAGS = $(unit_p2p_cppflags)
tests_unit_test_net_LDADD = $(unit_p2p_libs)

tests_unit_test_net_hostile_SOURCES = tests/unit/test_net_hostile.c $(unit_p2p_nodes)
tests_unit_test_net_hostile_CPPFLAGS = $(unit_p2p_cppflags)
tests_unit_test_net_hostile_LDADD = $(unit_p2p_libs)

tests_unit_test_accept_rate_SOURCES = tests/unit/test_accept_rate.c
tests_unit_test_accept_rate_CPPFLAGS = $(unit_p2p_cppflags)
tests_unit_test_accept_rate_LDADD = $(unit_p2p_libs)

tests_unit_test_ban_SOURCES = tests/unit/test_ban.c
tests_unit_test_ban_CPPFLAGS = $(unit_p2p_cppflags)
tests_unit_test_ban_LDADD = $(unit_p2p_libs)

tests_unit_test_gossip_SOURCES = tests/unit/test_gossip.c $(unit_p2p_nodes)
tests_unit_test_gossip_CPPFLAGS = $(unit_p2p_cppflags)
tests_unit_test_gossip_LDADD = $(unit_p2p_libs)

tests_unit_test_blob_fetch_SOURCES = tests/unit/test_blob_fetch.c $(unit_p2p_nodes)
tests_unit_test_blob_fetch_CPPFLAGS = $(unit_p2p_cppflags)
tests_unit_test_blob_fetch_LDADD = $(unit_p2p_libs)

tests_unit_test_claims_SOURCES = tests/unit/test_claims.c
tests_unit_test_claims_CPPFLAGS = $(unit_p2p_cppflags)
tests_unit_test_claims_LDADD = $(unit_p2p_libs)

tests_unit_test_sync_SOURCES = tests/unit/test_sync.c $(unit_p2p_nodes)
tests_unit_test_sync_CPPFLAGS = $(unit_p2p_cppflags)
tests_unit_test_sync_LDADD = $(unit_p2p_libs)

tests_unit_test_sync_plan_SOURCES = tests/unit/test_sync_plan.c
tests_unit_test_sync_plan_CPPFLAGS = $(unit_p2p_cppflags)
tests_unit_test_sync_plan_LDADD = $(unit_p2p_libs)
