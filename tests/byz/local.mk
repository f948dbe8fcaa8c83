# tests/byz/: peers that do not keep the rules, against real potd processes.

byz_tests = \
	tests/byz/test_api_flood.sh \
	tests/byz/test_byz_aggregator.sh \
	tests/byz/test_byz_groups.sh \
	tests/byz/test_byz_miner.sh \
	tests/byz/test_byz_primary.sh \
	tests/byz/test_byz_snapshot.sh \
	tests/byz/test_byz_validator.sh \
	tests/byz/test_copied_words.sh \
	tests/byz/test_middleman.sh \
	tests/byz/test_misfits.sh \
	tests/byz/test_plants.sh
dist_check_SCRIPTS += $(byz_tests)
TESTS += $(byz_tests)
EXTRA_DIST += tests/byz/byz.sh

# The whole node, with a trick between what it decides and what it says.
byz_wrapped = -Wl,--wrap=main -Wl,--wrap=pbft_new -Wl,--wrap=pbft_step \
	-Wl,--wrap=pending_collect -Wl,--wrap=evidence_pool_collect \
	-Wl,--wrap=net_open -Wl,--wrap=net_send -Wl,--wrap=net_broadcast \
	-Wl,--wrap=net_multicast \
	-Wl,--wrap=guard_seen -Wl,--wrap=compress_payload \
	-Wl,--wrap=signed_make \
	-Wl,--wrap=rounds_attestation -Wl,--wrap=own_links_get
check_PROGRAMS += tests/byz/byz
tests_byz_byz_SOURCES = $(potd_SOURCES) \
	tests/byz/byz.h \
	tests/byz/byz_forge.c \
	tests/byz/byz_payload.c \
	tests/byz/byz_primary.c \
	tests/byz/byz_say.c \
	tests/byz/byz_sync.c \
	tests/byz/byz_votes.c \
	tests/byz/byz_words.c \
	tests/byz/byz_wrap.c
nodist_EXTRA_tests_byz_byz_SOURCES = $(nodist_EXTRA_potd_SOURCES)
tests_byz_byz_CPPFLAGS = $(potd_CPPFLAGS)
tests_byz_byz_LDADD = $(potd_LDADD)
tests_byz_byz_LDFLAGS = $(AM_LDFLAGS) $(byz_wrapped)

# Strangers: peers with keys of no account.
byz_visit = tests/byz/visit.c tests/byz/visit.h
byz_visit_cppflags = $(AM_CPPFLAGS) $(SODIUM_CFLAGS) $(PROTOBUFC_CFLAGS)
byz_visit_libs = p2p/libp2p.a proto/libproto.a proto/libformats.a \
	base/libbase.a $(JANSSON_LIBS) $(PROTOBUFC_LIBS) $(BASE_LIBS) \
	$(UV_LIBS) -lpthread

# Shakes hands properly, and then says what it should not.
check_PROGRAMS += tests/byz/stranger
tests_byz_stranger_SOURCES = tests/byz/stranger.c $(byz_visit)
tests_byz_stranger_CPPFLAGS = $(byz_visit_cppflags)
tests_byz_stranger_LDADD = $(byz_visit_libs)

# Every fault that a message can have, one after another.
check_PROGRAMS += tests/byz/misfit
tests_byz_misfit_SOURCES = tests/byz/misfit.c $(byz_visit)
tests_byz_misfit_CPPFLAGS = $(byz_visit_cppflags)
tests_byz_misfit_LDADD = $(byz_visit_libs)

# Between two nodes: records, replays, reflects, changes, cuts.
check_PROGRAMS += tests/byz/middleman
tests_byz_middleman_SOURCES = tests/byz/middleman.c $(byz_visit)
tests_byz_middleman_CPPFLAGS = $(byz_visit_cppflags)
tests_byz_middleman_LDADD = $(byz_visit_libs)

# Thousands of connections to an API.
check_PROGRAMS += tests/byz/api_flood
tests_byz_api_flood_SOURCES = tests/byz/api_flood.c
tests_byz_api_flood_LDADD = base/libbase.a $(BASE_LIBS) -lpthread
