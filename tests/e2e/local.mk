# tests/e2e/: networks of real potd processes on loopback.
e2e_tests = \
	tests/e2e/test_aggregator.sh \
	tests/e2e/test_bad_input.sh \
	tests/e2e/test_bad_store.sh \
	tests/e2e/test_cancel.sh \
	tests/e2e/test_challenge.sh \
	tests/e2e/test_cheat.sh \
	tests/e2e/test_claims.sh \
	tests/e2e/test_clocks.sh \
	tests/e2e/test_copied_key.sh \
	tests/e2e/test_cores.sh \
	tests/e2e/test_diverged.sh \
	tests/e2e/test_exact.sh \
	tests/e2e/test_false_audit.sh \
	tests/e2e/test_replay.sh \
	tests/e2e/test_crash_points.sh \
	tests/e2e/test_damage.sh \
	tests/e2e/test_disk_errors.sh \
	tests/e2e/test_disk_full.sh \
	tests/e2e/test_evidence.sh \
	tests/e2e/test_ghost_data.sh \
	tests/e2e/test_guard.sh \
	tests/e2e/test_far_validator.sh \
	tests/e2e/test_hostile_peers.sh \
	tests/e2e/test_join_leave.sh \
	tests/e2e/test_kill.sh \
	tests/e2e/test_late_audit.sh \
	tests/e2e/test_local_steps.sh \
	tests/e2e/test_mass_kill.sh \
	tests/e2e/test_partitions.sh \
	tests/e2e/test_pause.sh \
	tests/e2e/test_prune.sh \
	tests/e2e/test_shards.sh \
	tests/e2e/test_signer.sh \
	tests/e2e/test_signer_crash.sh \
	tests/e2e/test_single.sh \
	tests/e2e/test_snapshot.sh \
	tests/e2e/test_snapshot_training.sh \
	tests/e2e/test_slow_primary.sh \
	tests/e2e/test_sync_many.sh \
	tests/e2e/test_store_tools.sh \
	tests/e2e/test_train.sh \
	tests/e2e/test_late_miner.sh \
	tests/e2e/test_two_tasks.sh \
	tests/e2e/test_validators.sh \
	tests/e2e/test_versions.sh \
	tests/e2e/test_write_order.sh
dist_check_SCRIPTS += $(e2e_tests)
TESTS += $(e2e_tests)
EXTRA_DIST += tests/e2e/lib.sh tests/e2e/disk_lib.sh tests/e2e/netns.sh \
	tests/e2e/replay_fashion.sh tests/e2e/soak.sh tests/e2e/score.py \
	tests/e2e/short_list.py tests/e2e/far.py

# Asks a node, quickly.
check_PROGRAMS += tests/e2e/ask
tests_e2e_ask_SOURCES = tests/e2e/ask.c
tests_e2e_ask_CPPFLAGS = $(AM_CPPFLAGS)
tests_e2e_ask_LDADD = $(JANSSON_LIBS)

# Stands in the place of pot-worker, and cheats.
check_PROGRAMS += tests/e2e/bad_worker
tests_e2e_bad_worker_SOURCES = tests/e2e/bad_worker.c
tests_e2e_bad_worker_CPPFLAGS = $(AM_CPPFLAGS) $(SODIUM_CFLAGS) \
	$(PROTOBUFC_CFLAGS)
tests_e2e_bad_worker_LDADD = training/libtraining.a proto/libproto.a \
	proto/libformats.a base/libbase.a $(PROTOBUFC_LIBS) $(BASE_LIBS) \
	-lpthread

# A state that is not the network's.
check_PROGRAMS += tests/e2e/plant_state
tests_e2e_plant_state_SOURCES = tests/e2e/plant_state.c
tests_e2e_plant_state_CPPFLAGS = $(AM_CPPFLAGS) $(SODIUM_CFLAGS) \
	$(PROTOBUFC_CFLAGS)
tests_e2e_plant_state_LDADD = ledger/libledger.a storage/libstorage.a \
	proto/libproto.a proto/libformats.a base/libbase.a $(LMDB_LIBS) \
	$(JANSSON_LIBS) $(PROTOBUFC_LIBS) $(BASE_LIBS) -lpthread -lm

# A validator's key that says two things.
check_PROGRAMS += tests/e2e/contradict
tests_e2e_contradict_SOURCES = tests/e2e/contradict.c
tests_e2e_contradict_CPPFLAGS = $(AM_CPPFLAGS) $(SODIUM_CFLAGS) \
	$(PROTOBUFC_CFLAGS)
tests_e2e_contradict_LDADD = p2p/libp2p.a proto/libproto.a \
	proto/libformats.a base/libbase.a $(JANSSON_LIBS) $(PROTOBUFC_LIBS) \
	$(BASE_LIBS) $(UV_LIBS) -lpthread

# A node that speaks the next version of the protocol, and no other; it reads
# the same store.
check_PROGRAMS += tests/e2e/potd_next
tests_e2e_potd_next_SOURCES = $(potd_SOURCES) tests/e2e/next_handshake.c
nodist_EXTRA_tests_e2e_potd_next_SOURCES = links-c++.cpp
tests_e2e_potd_next_CPPFLAGS = $(potd_CPPFLAGS)
tests_e2e_potd_next_LDADD = $(potd_LDADD)

# Transactions with one fault each.
check_PROGRAMS += tests/e2e/bad_tx
tests_e2e_bad_tx_SOURCES = tests/e2e/bad_tx.c
tests_e2e_bad_tx_CPPFLAGS = $(AM_CPPFLAGS) $(SODIUM_CFLAGS) \
	$(PROTOBUFC_CFLAGS)
tests_e2e_bad_tx_LDADD = proto/libproto.a proto/libformats.a base/libbase.a \
	$(JANSSON_LIBS) $(PROTOBUFC_LIBS) $(BASE_LIBS) -lpthread

# A disk that fails at will, to be preloaded: no archive but an object that is
# linked as a shared library.
check_PROGRAMS += tests/e2e/faulty_disk.so
tests_e2e_faulty_disk_so_SOURCES = tests/e2e/faulty_disk.c
tests_e2e_faulty_disk_so_CFLAGS = $(AM_CFLAGS) -fPIC
tests_e2e_faulty_disk_so_LDFLAGS = $(AM_LDFLAGS) -shared
tests_e2e_faulty_disk_so_LDADD = -ldl -lpthread
