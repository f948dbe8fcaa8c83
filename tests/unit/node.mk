# Tests of node/'s parts that stand alone.
unit_node_tests = \
	tests/unit/test_aggregator \
	tests/unit/test_audits \
	tests/unit/test_open_round \
	tests/unit/test_blob_pool \
	tests/unit/test_pending \
	tests/unit/test_catch_up \
	tests/unit/test_chain \
	tests/unit/test_decided \
	tests/unit/test_chunk_cache \
	tests/unit/test_conflict \
	tests/unit/test_datasets \
	tests/unit/test_errands \
	tests/unit/test_evidence_pool \
	tests/unit/test_gathered_job \
	tests/unit/test_group_opening \
	tests/unit/test_group_talk \
	tests/unit/test_group_waits \
	tests/unit/test_grouped \
	tests/unit/test_grouping \
	tests/unit/test_groups \
	tests/unit/test_split_groups \
	tests/unit/test_guard \
	tests/unit/test_headers \
	tests/unit/test_inbox \
	tests/unit/test_intake \
	tests/unit/test_known_commits \
	tests/unit/test_left_out \
	tests/unit/test_mempool \
	tests/unit/test_miner \
	tests/unit/test_needs \
	tests/unit/test_node_config \
	tests/unit/test_offload \
	tests/unit/test_fellows \
	tests/unit/test_attesting \
	tests/unit/test_committing \
	tests/unit/test_hearsay \
	tests/unit/test_own_links \
	tests/unit/test_held_back \
	tests/unit/test_join_pause \
	tests/unit/test_newcomers \
	tests/unit/test_own_words \
	tests/unit/test_planter \
	tests/unit/test_referee \
	tests/unit/test_referee_words \
	tests/unit/test_reminder \
	tests/unit/test_tellers \
	tests/unit/test_round_early \
	tests/unit/test_row_gather \
	tests/unit/test_snapshots \
	tests/unit/test_verified \
	tests/unit/test_worker_words \
	tests/unit/test_workers
check_PROGRAMS += $(unit_node_tests)
TESTS += $(unit_node_tests)
unit_node_cppflags = $(unit_cppflags) $(UV_CFLAGS)

unit_chain_sources = tests/unit/chain_fixture.c tests/unit/chain_fixture.h \
	tests/scratch.h
unit_lone_net = tests/unit/lone_net.c tests/unit/lone_net.h
unit_small_task = tests/unit/small_task.c tests/unit/small_task.h
unit_intake_fixture = tests/unit/intake_fixture.c \
	tests/unit/intake_fixture.h $(unit_lone_net) $(unit_chain_sources)
unit_chain_libs = node/tx/libtx.a node/block/libblock.a \
	node/hold/libhold.a node/loop/libloop.a consensus/libconsensus.a \
	ledger/libledger.a storage/libstorage.a p2p/libp2p.a \
	$(unit_proto_libs) $(LMDB_LIBS) $(UV_LIBS) $(JANSSON_LIBS) -lm

tests_unit_test_aggregator_SOURCES = tests/unit/test_aggregator.c \
	$(unit_fetch_node) $(unit_small_task) $(unit_chain_sources)
tests_unit_test_aggregator_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_aggregator_LDADD = node/round/libround.a \
	training/libtraining.a $(unit_chain_libs) $(ZLIB_LIBS)

tests_unit_test_audits_SOURCES = tests/unit/test_audits.c \
	$(unit_chain_sources)
tests_unit_test_audits_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_audits_LDADD = node/round/libround.a \
	training/libtraining.a $(unit_chain_libs) $(ZLIB_LIBS)

tests_unit_test_open_round_SOURCES = tests/unit/test_open_round.c \
	$(unit_small_task) $(unit_chain_sources)
tests_unit_test_open_round_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_open_round_LDADD = node/round/libround.a \
	training/libtraining.a $(unit_chain_libs) $(ZLIB_LIBS)

unit_group_scene = tests/unit/group_scene.c tests/unit/group_scene.h \
	$(unit_small_task) $(unit_lone_net) $(unit_chain_sources)

tests_unit_test_grouping_SOURCES = tests/unit/test_grouping.c \
	$(unit_group_scene)
tests_unit_test_grouping_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_grouping_LDADD = node/round/libround.a \
	training/libtraining.a $(unit_chain_libs) $(ZLIB_LIBS)

unit_heard_scene = tests/unit/heard_scene.c tests/unit/heard_scene.h \
	$(unit_group_scene)

tests_unit_test_group_opening_SOURCES = tests/unit/test_group_opening.c \
	$(unit_heard_scene)
tests_unit_test_group_opening_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_group_opening_LDADD = node/round/libround.a \
	training/libtraining.a $(unit_chain_libs) $(ZLIB_LIBS)

tests_unit_test_group_talk_SOURCES = tests/unit/test_group_talk.c \
	$(unit_heard_scene)
tests_unit_test_group_talk_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_group_talk_LDADD = node/round/libround.a \
	training/libtraining.a $(unit_chain_libs) $(ZLIB_LIBS)

tests_unit_test_group_waits_SOURCES = tests/unit/test_group_waits.c \
	$(unit_heard_scene)
tests_unit_test_group_waits_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_group_waits_LDADD = node/round/libround.a \
	training/libtraining.a $(unit_chain_libs) $(ZLIB_LIBS)

tests_unit_test_grouped_SOURCES = tests/unit/test_grouped.c \
	$(unit_heard_scene)
tests_unit_test_grouped_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_grouped_LDADD = node/round/libround.a \
	training/libtraining.a $(unit_chain_libs) $(ZLIB_LIBS)

tests_unit_test_groups_SOURCES = tests/unit/test_groups.c \
	$(unit_heard_scene)
tests_unit_test_groups_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_groups_LDADD = node/round/libround.a \
	training/libtraining.a $(unit_chain_libs) $(ZLIB_LIBS)

tests_unit_test_split_groups_SOURCES = tests/unit/test_split_groups.c \
	$(unit_group_scene)
tests_unit_test_split_groups_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_split_groups_LDADD = node/round/libround.a \
	training/libtraining.a $(unit_chain_libs) $(ZLIB_LIBS)

tests_unit_test_catch_up_SOURCES = tests/unit/test_catch_up.c \
	$(unit_chain_sources)
tests_unit_test_catch_up_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_catch_up_LDADD = $(unit_chain_libs)

tests_unit_test_chain_SOURCES = tests/unit/test_chain.c $(unit_chain_sources)
tests_unit_test_chain_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_chain_LDADD = $(unit_chain_libs)

tests_unit_test_decided_SOURCES = tests/unit/test_decided.c $(unit_chain_sources)
tests_unit_test_decided_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_decided_LDADD = $(unit_chain_libs)

tests_unit_test_needs_SOURCES = tests/unit/test_needs.c $(unit_fetch_node) \
	$(unit_chain_sources)
tests_unit_test_needs_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_needs_LDADD = $(unit_chain_libs)

tests_unit_test_chunk_cache_SOURCES = tests/unit/test_chunk_cache.c \
	tests/scratch.h
tests_unit_test_chunk_cache_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_chunk_cache_LDADD = node/hold/libhold.a $(unit_proto_libs) \
	$(UV_LIBS)

unit_chunked_sources = tests/unit/chunked_set.c tests/unit/chunked_set.h \
	tests/rng.h tests/scratch.h
tests_unit_test_gathered_job_SOURCES = tests/unit/test_gathered_job.c \
	$(unit_chunked_sources)
tests_unit_test_gathered_job_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_gathered_job_LDADD = node/round/libround.a \
	training/libtraining.a $(unit_chain_libs) $(ZLIB_LIBS)
EXTRA_tests_unit_test_gathered_job_DEPENDENCIES = pot-worker

tests_unit_test_row_gather_SOURCES = tests/unit/test_row_gather.c \
	$(unit_chunked_sources)
tests_unit_test_row_gather_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_row_gather_LDADD = node/round/libround.a \
	training/libtraining.a $(unit_chain_libs) $(ZLIB_LIBS)

tests_unit_test_conflict_SOURCES = tests/unit/test_conflict.c \
	$(unit_chain_sources)
tests_unit_test_conflict_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_conflict_LDADD = $(unit_chain_libs)

tests_unit_test_datasets_SOURCES = tests/unit/test_datasets.c \
	$(unit_chain_sources)
tests_unit_test_datasets_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_datasets_LDADD = $(unit_chain_libs)

tests_unit_test_errands_SOURCES = tests/unit/test_errands.c \
	$(unit_chain_sources)
tests_unit_test_errands_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_errands_LDADD = $(unit_chain_libs)

tests_unit_test_evidence_pool_SOURCES = tests/unit/test_evidence_pool.c \
	tests/unit/evidence_fixture.c tests/unit/evidence_fixture.h \
	$(unit_lone_net) $(unit_chain_sources)
tests_unit_test_evidence_pool_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_evidence_pool_LDADD = $(unit_chain_libs)
tests_unit_test_guard_SOURCES = tests/unit/test_guard.c
tests_unit_test_guard_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_guard_LDADD = node/block/libblock.a \
	consensus/libconsensus.a $(unit_proto_libs)

tests_unit_test_headers_SOURCES = tests/unit/test_headers.c \
	$(unit_chain_sources) $(unit_fetch_node)
tests_unit_test_headers_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_headers_LDADD = $(unit_chain_libs)

tests_unit_test_inbox_SOURCES = tests/unit/test_inbox.c
tests_unit_test_inbox_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_inbox_LDADD = $(unit_chain_libs)

tests_unit_test_known_commits_SOURCES = tests/unit/test_known_commits.c
tests_unit_test_known_commits_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_known_commits_LDADD = $(unit_chain_libs)

tests_unit_test_intake_SOURCES = tests/unit/test_intake.c \
	$(unit_intake_fixture)
tests_unit_test_intake_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_intake_LDADD = $(unit_chain_libs)

tests_unit_test_left_out_SOURCES = tests/unit/test_left_out.c \
	$(unit_chain_sources)
tests_unit_test_left_out_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_left_out_LDADD = $(unit_chain_libs)

tests_unit_test_pending_SOURCES = tests/unit/test_pending.c $(unit_small_task) \
	$(unit_chain_sources)
tests_unit_test_pending_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_pending_LDADD = $(unit_chain_libs)

tests_unit_test_snapshots_SOURCES = tests/unit/test_snapshots.c
tests_unit_test_snapshots_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_snapshots_LDADD = tests/unit/libstorefixture.a \
	$(unit_chain_libs)

tests_unit_test_blob_pool_SOURCES = tests/unit/test_blob_pool.c
tests_unit_test_blob_pool_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_blob_pool_LDADD = node/hold/libhold.a $(unit_proto_libs) \
	$(UV_LIBS)

tests_unit_test_offload_SOURCES = tests/unit/test_offload.c
tests_unit_test_offload_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_offload_LDADD = node/loop/libloop.a $(unit_base_libs) \
	$(UV_LIBS)

tests_unit_test_verified_SOURCES = tests/unit/test_verified.c
tests_unit_test_verified_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_verified_LDADD = node/hold/libhold.a $(unit_proto_libs) \
	$(UV_LIBS)

tests_unit_test_mempool_SOURCES = tests/unit/test_mempool.c
tests_unit_test_mempool_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_mempool_LDADD = node/tx/libtx.a $(unit_proto_libs)

tests_unit_test_fellows_SOURCES = tests/unit/test_fellows.c \
	$(unit_chain_sources) $(unit_p2p_nodes)
tests_unit_test_fellows_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_fellows_LDADD = $(unit_chain_libs)

# toml++ is C++: what links it links as such.
tests_unit_test_node_config_SOURCES = tests/unit/test_node_config.c \
	node/node_config.c node/node_config.h
nodist_EXTRA_tests_unit_test_node_config_SOURCES = dummy.cxx
tests_unit_test_node_config_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_node_config_LDADD = base/libtoml.a p2p/libp2p.a \
	$(unit_base_libs) $(UV_LIBS)

tests_unit_test_hearsay_SOURCES = tests/unit/test_hearsay.c
tests_unit_test_hearsay_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_hearsay_LDADD = node/round/libround.a $(unit_base_libs)

unit_plant_scene = tests/unit/plant_scene.c tests/unit/plant_scene.h \
	$(unit_intake_fixture)
unit_plant_libs = node/round/libround.a tests/unit/libledger_fixture.a \
	training/libtraining.a $(unit_chain_libs) $(ZLIB_LIBS)

tests_unit_test_planter_SOURCES = tests/unit/test_planter.c \
	$(unit_plant_scene)
tests_unit_test_planter_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_planter_LDADD = $(unit_plant_libs)

tests_unit_test_miner_SOURCES = tests/unit/test_miner.c $(unit_plant_scene)
tests_unit_test_miner_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_miner_LDADD = $(unit_plant_libs)
EXTRA_tests_unit_test_miner_DEPENDENCIES = pot-worker

tests_unit_test_referee_SOURCES = tests/unit/test_referee.c \
	$(unit_plant_scene)
tests_unit_test_referee_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_referee_LDADD = $(unit_plant_libs)

tests_unit_test_held_back_SOURCES = tests/unit/test_held_back.c \
	$(unit_hearers)
tests_unit_test_held_back_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_held_back_LDADD = node/round/libround.a $(unit_chain_libs)

tests_unit_test_join_pause_SOURCES = tests/unit/test_join_pause.c
tests_unit_test_join_pause_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_join_pause_LDADD = node/round/libround.a $(unit_fixture_libs)

tests_unit_test_tellers_SOURCES = tests/unit/test_tellers.c
tests_unit_test_tellers_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_tellers_LDADD = node/round/libround.a $(unit_fixture_libs)

tests_unit_test_newcomers_SOURCES = tests/unit/test_newcomers.c
tests_unit_test_newcomers_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_newcomers_LDADD = node/round/libround.a $(unit_fixture_libs)

tests_unit_test_own_words_SOURCES = tests/unit/test_own_words.c \
	$(unit_plant_scene) $(unit_hearers)
tests_unit_test_own_words_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_own_words_LDADD = $(unit_plant_libs)

tests_unit_test_own_links_SOURCES = tests/unit/test_own_links.c
tests_unit_test_own_links_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_own_links_LDADD = node/round/libround.a $(unit_fixture_libs)

tests_unit_test_referee_words_SOURCES = tests/unit/test_referee_words.c
tests_unit_test_referee_words_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_referee_words_LDADD = node/round/libround.a $(unit_fixture_libs)

tests_unit_test_attesting_SOURCES = tests/unit/test_attesting.c
tests_unit_test_attesting_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_attesting_LDADD = node/round/libround.a $(unit_fixture_libs)

tests_unit_test_committing_SOURCES = tests/unit/test_committing.c
tests_unit_test_committing_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_committing_LDADD = node/round/libround.a $(unit_fixture_libs)

tests_unit_test_reminder_SOURCES = tests/unit/test_reminder.c $(unit_hearers)
tests_unit_test_reminder_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_reminder_LDADD = node/round/libround.a $(unit_chain_libs)

tests_unit_test_round_early_SOURCES = tests/unit/test_round_early.c
tests_unit_test_round_early_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_round_early_LDADD = node/round/libround.a $(unit_fixture_libs)

tests_unit_test_worker_words_SOURCES = tests/unit/test_worker_words.c
tests_unit_test_worker_words_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_worker_words_LDADD = node/round/libround.a $(unit_chain_libs)

# Runs pot-worker, and the worker that misbehaves.
tests_unit_test_workers_SOURCES = tests/unit/test_workers.c \
	tests/byte_dataset.c tests/byte_dataset.h
tests_unit_test_workers_CPPFLAGS = $(unit_node_cppflags)
tests_unit_test_workers_LDADD = node/round/libround.a \
	training/libtraining.a $(unit_chain_libs) $(ZLIB_LIBS)
EXTRA_tests_unit_test_workers_DEPENDENCIES = pot-worker \
	tests/e2e/bad_worker$(EXEEXT)
