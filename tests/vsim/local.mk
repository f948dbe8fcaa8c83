# tests/vsim/: whole nodes in one process, on virtual time.
check_PROGRAMS += tests/vsim/vsim
TESTS += tests/vsim/vsim
tests_vsim_vsim_SOURCES = $(node_sources) \
	tests/sim/sim_signatures.c \
	tests/vsim/vsim.c \
	tests/vsim/vsim_check.c tests/vsim/vsim_check.h \
	tests/vsim/vsim_client.c tests/vsim/vsim_client.h \
	tests/vsim/vsim_clock.c tests/vsim/vsim_clock.h \
	tests/vsim/vsim_disk.c tests/vsim/vsim_disk.h \
	tests/vsim/vsim_fault.c tests/vsim/vsim_fault.h \
	tests/vsim/vsim_growth.c tests/vsim/vsim_growth.h \
	tests/vsim/vsim_life.c tests/vsim/vsim_life.h \
	tests/vsim/vsim_loop.c tests/vsim/vsim_loop.h \
	tests/vsim/vsim_names.h \
	tests/vsim/vsim_network.c tests/vsim/vsim_network.h \
	tests/vsim/vsim_node.c tests/vsim/vsim_node.h \
	tests/vsim/vsim_plant.c \
	tests/vsim/vsim_tcp.c tests/vsim/vsim_tcp.h \
	tests/vsim/vsim_try.c tests/vsim/vsim_try.h \
	tests/vsim/vsim_uv.c \
	tests/vsim/vsim_words.c tests/vsim/vsim_words.h \
	tests/vsim/vsim_world.c tests/vsim/vsim_world.h
nodist_EXTRA_tests_vsim_vsim_SOURCES = links-c++.cpp
# No task runs here, so no worker is ever started.
tests_vsim_vsim_CPPFLAGS = $(node_cppflags) -DPOT_WORKER_PATH='"/bin/true"'
tests_vsim_vsim_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=key_sign -Wl,--wrap=key_claim_holds \
	-Wl,--wrap=key_batch_check -Wl,--wrap=frame_seal \
	-Wl,--wrap=sign_state_save -Wl,--wrap=validator_set_quorum \
	-Wl,--wrap=ledger_apply_tx -Wl,--wrap=store_commit_soon \
	-Wl,--wrap=errands_propose -Wl,--wrap=decided_append
# Not libuv: what is asked of it stands here.
tests_vsim_vsim_LDADD = $(node_libs) \
	$(LMDB_LIBS) $(MHD_LIBS) $(JANSSON_LIBS) \
	$(PROTOBUFC_LIBS) $(BASE_LIBS) $(ZLIB_LIBS) -lpthread
# Sanitizers are slow: fewer lives, and not every situation.
if SANITIZED
tests_vsim_vsim_CPPFLAGS += -DVSIM_SEEDS=60
else
tests_vsim_vsim_CPPFLAGS += -DVSIM_SEEDS=500
endif
