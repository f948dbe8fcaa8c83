# tests/sim/: the deterministic simulator of consensus.
check_PROGRAMS += tests/sim/sim_pbft
TESTS += tests/sim/sim_pbft
check_PROGRAMS += tests/sim/sim_primary
TESTS += tests/sim/sim_primary
sim_sources = \
	tests/sim/sim_attack.c tests/sim/sim_attack.h \
	tests/sim/sim_block.c tests/sim/sim_block.h \
	tests/sim/sim_check.c tests/sim/sim_check.h \
	tests/sim/sim_forge.c tests/sim/sim_forge.h \
	tests/sim/sim_network.c tests/sim/sim_network.h \
	tests/sim/sim_node.c tests/sim/sim_node.h \
	tests/sim/sim_rng.h \
	tests/sim/sim_scenario.c tests/sim/sim_scenario.h \
	tests/sim/sim_signatures.c tests/sim/sim_signatures.h \
	tests/sim/sim_step.c tests/sim/sim_step.h \
	tests/sim/sim_sync.c tests/sim/sim_sync.h \
	tests/sim/sim_work.c tests/sim/sim_work.h \
	tests/sim/sim_world.c tests/sim/sim_world.h \
	node/block/owed.c node/block/owed.h
tests_sim_sim_pbft_SOURCES = tests/sim/sim_pbft.c $(sim_sources)
tests_sim_sim_primary_SOURCES = tests/sim/sim_primary.c $(sim_sources)
tests_sim_sim_pbft_CPPFLAGS = $(AM_CPPFLAGS) $(SODIUM_CFLAGS) \
	$(PROTOBUFC_CFLAGS)
tests_sim_sim_pbft_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=key_sign -Wl,--wrap=key_claim_holds \
	-Wl,--wrap=key_batch_check
tests_sim_sim_pbft_LDADD = consensus/libconsensus.a proto/libproto.a \
	proto/libformats.a base/libbase.a $(BASE_LIBS) $(PROTOBUFC_LIBS)
tests_sim_sim_primary_CPPFLAGS = $(tests_sim_sim_pbft_CPPFLAGS)
tests_sim_sim_primary_LDFLAGS = $(tests_sim_sim_pbft_LDFLAGS)
tests_sim_sim_primary_LDADD = $(tests_sim_sim_pbft_LDADD)
# Sanitizers are slow: fewer lives, and the marks are not asked for.
if SANITIZED
tests_sim_sim_pbft_CPPFLAGS += -DSIM_SEEDS=300
else
tests_sim_sim_pbft_CPPFLAGS += -DSIM_SEEDS=2000
endif
