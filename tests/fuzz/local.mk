# tests/fuzz/: a target a decoder.  ./configure --enable-fuzzing CC=clang makes
# libFuzzer programs of them; otherwise each runs over its corpus and over
# mutations of it from a fixed seed.
fuzz_cppflags = $(AM_CPPFLAGS) $(SODIUM_CFLAGS) $(PROTOBUFC_CFLAGS) \
	$(UV_CFLAGS)
fuzz_proto_libs = proto/libproto.a proto/libformats.a base/libbase.a \
	$(BASE_LIBS) $(PROTOBUFC_LIBS)

if FUZZING
fuzz_driver =
fuzz_ldflags = $(AM_LDFLAGS) -fsanitize=fuzzer
else
fuzz_driver = tests/fuzz/replay_main.c
fuzz_ldflags = $(AM_LDFLAGS)
endif

fuzz_targets = \
	tests/fuzz/fuzz_api_url \
	tests/fuzz/fuzz_array \
	tests/fuzz/fuzz_block \
	tests/fuzz/fuzz_consensus \
	tests/fuzz/fuzz_csv \
	tests/fuzz/fuzz_evidence \
	tests/fuzz/fuzz_frame \
	tests/fuzz/fuzz_genesis \
	tests/fuzz/fuzz_group \
	tests/fuzz/fuzz_handshake \
	tests/fuzz/fuzz_journal \
	tests/fuzz/fuzz_key_box \
	tests/fuzz/fuzz_key_claim \
	tests/fuzz/fuzz_packed \
	tests/fuzz/fuzz_partial_sum \
	tests/fuzz/fuzz_pds \
	tests/fuzz/fuzz_round_update \
	tests/fuzz/fuzz_sign_frame \
	tests/fuzz/fuzz_slot \
	tests/fuzz/fuzz_state_chunk \
	tests/fuzz/fuzz_state_proof \
	tests/fuzz/fuzz_store_pages \
	tests/fuzz/fuzz_store_record \
	tests/fuzz/fuzz_submission \
	tests/fuzz/fuzz_text \
	tests/fuzz/fuzz_toml \
	tests/fuzz/fuzz_tx \
	tests/fuzz/fuzz_wire \
	tests/fuzz/fuzz_worker
check_PROGRAMS += $(fuzz_targets)
dist_check_SCRIPTS += tests/fuzz/test_fuzz.sh
TESTS += tests/fuzz/test_fuzz.sh
EXTRA_DIST += tests/fuzz/corpus tests/fuzz/fuzz_long.sh

tests_fuzz_fuzz_api_url_SOURCES = tests/fuzz/fuzz_api_url.c $(fuzz_driver)
tests_fuzz_fuzz_api_url_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_api_url_LDADD = node/api/libapi.a p2p/libp2p.a base/libbase.a \
	$(BASE_LIBS) $(UV_LIBS)
tests_fuzz_fuzz_api_url_LDFLAGS = $(fuzz_ldflags)

tests_fuzz_fuzz_array_SOURCES = tests/fuzz/fuzz_array.c $(fuzz_driver)
tests_fuzz_fuzz_array_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_array_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_array_LDADD = training/libtraining.a $(fuzz_proto_libs) $(ZLIB_LIBS) -lm

tests_fuzz_fuzz_block_SOURCES = tests/fuzz/fuzz_block.c $(fuzz_driver)
tests_fuzz_fuzz_block_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_block_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_block_LDADD = $(fuzz_proto_libs)

tests_fuzz_fuzz_consensus_SOURCES = tests/fuzz/fuzz_consensus.c $(fuzz_driver)
tests_fuzz_fuzz_consensus_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_consensus_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_consensus_LDADD = consensus/libconsensus.a $(fuzz_proto_libs)

tests_fuzz_fuzz_csv_SOURCES = tests/fuzz/fuzz_csv.c $(fuzz_driver)
tests_fuzz_fuzz_csv_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_csv_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_csv_LDADD = training/libtraining.a $(fuzz_proto_libs) $(ZLIB_LIBS) -lm

tests_fuzz_fuzz_evidence_SOURCES = tests/fuzz/fuzz_evidence.c $(fuzz_driver)
tests_fuzz_fuzz_evidence_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_evidence_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_evidence_LDADD = $(fuzz_proto_libs)

tests_fuzz_fuzz_frame_SOURCES = tests/fuzz/fuzz_frame.c $(fuzz_driver)
tests_fuzz_fuzz_frame_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_frame_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_frame_LDADD = p2p/libp2p.a $(fuzz_proto_libs) $(UV_LIBS)

tests_fuzz_fuzz_genesis_SOURCES = tests/fuzz/fuzz_genesis.c $(fuzz_driver)
tests_fuzz_fuzz_genesis_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_genesis_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_genesis_LDADD = $(fuzz_proto_libs) $(JANSSON_LIBS)

tests_fuzz_fuzz_group_SOURCES = tests/fuzz/fuzz_group.c $(fuzz_driver)
tests_fuzz_fuzz_group_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_group_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_group_LDADD = $(fuzz_proto_libs)

tests_fuzz_fuzz_handshake_SOURCES = tests/fuzz/fuzz_handshake.c $(fuzz_driver)
tests_fuzz_fuzz_handshake_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_handshake_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_handshake_LDADD = p2p/libp2p.a $(fuzz_proto_libs) $(UV_LIBS)

tests_fuzz_fuzz_journal_SOURCES = tests/fuzz/fuzz_journal.c $(fuzz_driver)
tests_fuzz_fuzz_journal_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_journal_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_journal_LDADD = storage/libstorage.a $(fuzz_proto_libs) $(LMDB_LIBS) -lpthread

tests_fuzz_fuzz_key_box_SOURCES = tests/fuzz/fuzz_key_box.c $(fuzz_driver)
tests_fuzz_fuzz_key_box_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_key_box_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_key_box_LDADD = base/libbase.a $(BASE_LIBS)

tests_fuzz_fuzz_key_claim_SOURCES = tests/fuzz/fuzz_key_claim.c $(fuzz_driver)
tests_fuzz_fuzz_key_claim_CPPFLAGS = $(fuzz_cppflags) $(DECAF_CFLAGS)
tests_fuzz_fuzz_key_claim_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_key_claim_LDADD = base/libbase.a $(BASE_LIBS)

tests_fuzz_fuzz_packed_SOURCES = tests/fuzz/fuzz_packed.c $(fuzz_driver)
tests_fuzz_fuzz_packed_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_packed_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_packed_LDADD = $(fuzz_proto_libs)

tests_fuzz_fuzz_partial_sum_SOURCES = tests/fuzz/fuzz_partial_sum.c $(fuzz_driver)
tests_fuzz_fuzz_partial_sum_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_partial_sum_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_partial_sum_LDADD = $(fuzz_proto_libs)

tests_fuzz_fuzz_pds_SOURCES = tests/fuzz/fuzz_pds.c $(fuzz_driver)
tests_fuzz_fuzz_pds_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_pds_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_pds_LDADD = $(fuzz_proto_libs)

tests_fuzz_fuzz_round_update_SOURCES = tests/fuzz/fuzz_round_update.c $(fuzz_driver)
tests_fuzz_fuzz_round_update_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_round_update_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_round_update_LDADD = $(unit_fixture_libs)

tests_fuzz_fuzz_sign_frame_SOURCES = tests/fuzz/fuzz_sign_frame.c $(fuzz_driver)
tests_fuzz_fuzz_sign_frame_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_sign_frame_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_sign_frame_LDADD = signer/libsigner.a $(fuzz_proto_libs)

tests_fuzz_fuzz_slot_SOURCES = tests/fuzz/fuzz_slot.c $(fuzz_driver)
tests_fuzz_fuzz_slot_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_slot_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_slot_LDADD = storage/libstorage.a $(fuzz_proto_libs) $(LMDB_LIBS) -lpthread

tests_fuzz_fuzz_state_chunk_SOURCES = tests/fuzz/fuzz_state_chunk.c $(fuzz_driver)
tests_fuzz_fuzz_state_chunk_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_state_chunk_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_state_chunk_LDADD = $(fuzz_proto_libs)

tests_fuzz_fuzz_state_proof_SOURCES = tests/fuzz/fuzz_state_proof.c $(fuzz_driver)
tests_fuzz_fuzz_state_proof_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_state_proof_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_state_proof_LDADD = $(fuzz_proto_libs)

tests_fuzz_fuzz_store_pages_SOURCES = tests/fuzz/fuzz_store_pages.c $(fuzz_driver)
tests_fuzz_fuzz_store_pages_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_store_pages_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_store_pages_LDADD = storage/libstorage.a $(fuzz_proto_libs) $(LMDB_LIBS) -lpthread

tests_fuzz_fuzz_store_record_SOURCES = tests/fuzz/fuzz_store_record.c $(fuzz_driver)
tests_fuzz_fuzz_store_record_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_store_record_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_store_record_LDADD = storage/libstorage.a $(fuzz_proto_libs) $(LMDB_LIBS) -lpthread

tests_fuzz_fuzz_submission_SOURCES = tests/fuzz/fuzz_submission.c $(fuzz_driver)
tests_fuzz_fuzz_submission_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_submission_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_submission_LDADD = $(fuzz_proto_libs)

tests_fuzz_fuzz_text_SOURCES = tests/fuzz/fuzz_text.c $(fuzz_driver)
tests_fuzz_fuzz_text_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_text_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_text_LDADD = base/libbase.a $(BASE_LIBS)

tests_fuzz_fuzz_toml_SOURCES = tests/fuzz/fuzz_toml.c $(fuzz_driver)
nodist_EXTRA_tests_fuzz_fuzz_toml_SOURCES = links-c++.cpp
tests_fuzz_fuzz_toml_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_toml_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_toml_LDADD = base/libtoml.a base/libbase.a $(BASE_LIBS)

tests_fuzz_fuzz_tx_SOURCES = tests/fuzz/fuzz_tx.c $(fuzz_driver)
tests_fuzz_fuzz_tx_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_tx_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_tx_LDADD = $(unit_fixture_libs)

tests_fuzz_fuzz_wire_SOURCES = tests/fuzz/fuzz_wire.c $(fuzz_driver)
tests_fuzz_fuzz_wire_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_wire_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_wire_LDADD = p2p/libp2p.a $(fuzz_proto_libs) $(UV_LIBS)

tests_fuzz_fuzz_worker_SOURCES = tests/fuzz/fuzz_worker.c $(fuzz_driver)
tests_fuzz_fuzz_worker_CPPFLAGS = $(fuzz_cppflags)
tests_fuzz_fuzz_worker_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_worker_LDADD = training/libtraining.a $(fuzz_proto_libs) $(ZLIB_LIBS) -lm
