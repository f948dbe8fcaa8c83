# Benchmarks: built by make check, run by hand.
bench_cppflags = $(AM_CPPFLAGS) $(SODIUM_CFLAGS) $(PROTOBUFC_CFLAGS) \
	$(OPENBLAS_CFLAGS)
bench_training_libs = training/libmlp.a training/libtraining.a \
	proto/libproto.a proto/libformats.a base/libbase.a \
	$(OPENBLAS_LIBS) $(PROTOBUFC_LIBS) $(BASE_LIBS) $(ZLIB_LIBS) \
	-lm -lpthread

check_PROGRAMS += tests/bench/bench_audit
tests_bench_bench_audit_SOURCES = tests/bench/bench_audit.c \
	tests/bench/bench_util.c tests/bench/bench_util.h \
	tests/rng.h tests/scratch.h \
	tests/worker_driver.c tests/worker_driver.h
tests_bench_bench_audit_CPPFLAGS = $(bench_cppflags)
tests_bench_bench_audit_LDADD = ledger/libledger.a $(bench_training_libs)

check_PROGRAMS += tests/bench/attacks
tests_bench_attacks_SOURCES = tests/bench/bench_attacks.c tests/rng.h
tests_bench_attacks_CPPFLAGS = $(bench_cppflags) \
	-DPOT_EXAMPLES='"$(abs_top_srcdir)/examples"'
tests_bench_attacks_LDADD = ledger/libledger.a $(bench_training_libs)

check_PROGRAMS += tests/bench/training
tests_bench_training_SOURCES = tests/bench/bench_training.c \
	tests/bench/bench_util.c tests/bench/bench_util.h \
	tests/bench/torch_trainer.c tests/bench/torch_trainer.h \
	tests/bench/worker_trainer.c tests/bench/worker_trainer.h \
	tests/byte_dataset.c tests/byte_dataset.h \
	tests/rng.h tests/scratch.h \
	tests/worker_driver.c tests/worker_driver.h
tests_bench_training_CPPFLAGS = $(bench_cppflags) \
	-DBENCH_SOURCE='"$(abs_top_srcdir)"'
tests_bench_training_LDADD = tests/bench/libplain.a $(bench_training_libs)
# For this machine alone, with all that the compiler knows.
check_LIBRARIES += tests/bench/libplain.a
tests_bench_libplain_a_SOURCES = \
	tests/bench/plain_trainer.c tests/bench/plain_trainer.h
tests_bench_libplain_a_CPPFLAGS = $(bench_cppflags)
tests_bench_libplain_a_CFLAGS = $(AM_CFLAGS) -march=native -fopenmp-simd \
	-ffast-math
EXTRA_DIST += tests/bench/torch_trainer.py

# What cheating comes to: a table, and an exit code.
check_PROGRAMS += tests/bench/adversaries
tests_bench_adversaries_SOURCES = tests/bench/adversaries.c \
	tests/bench/town.c tests/bench/town.h \
	tests/rng.h tests/unit/memory_state.c tests/unit/memory_state.h
tests_bench_adversaries_CPPFLAGS = $(bench_cppflags)
tests_bench_adversaries_LDADD = ledger/libledger.a $(bench_training_libs)

# Bytes a round and accuracy: prints a table, takes minutes.
check_PROGRAMS += tests/bench/compression
tests_bench_compression_SOURCES = tests/bench/bench_compression.c \
	tests/bench/bench_util.c tests/bench/bench_util.h \
	tests/scratch.h tests/worker_driver.c tests/worker_driver.h
tests_bench_compression_CPPFLAGS = $(bench_cppflags)
tests_bench_compression_LDADD = ledger/libledger.a $(bench_training_libs)

# Signatures one by one and many at once.
check_PROGRAMS += tests/bench/bench_signatures
tests_bench_bench_signatures_SOURCES = tests/bench/bench_signatures.c \
	tests/bench/bench_util.c tests/bench/bench_util.h
tests_bench_bench_signatures_CPPFLAGS = $(bench_cppflags)
tests_bench_bench_signatures_LDADD = $(bench_training_libs)

# potbench: real nodes on this machine, measured beside their baselines.
bin_PROGRAMS += potbench
potbench_SOURCES = \
	tests/bench/bench_util.c tests/bench/bench_util.h \
	tests/bench/potbench.c tests/bench/potbench.h \
	tests/bench/potbench_accounts.c tests/bench/potbench_accounts.h \
	tests/bench/potbench_bound.c tests/bench/potbench_bound.h \
	tests/bench/potbench_central.c tests/bench/potbench_central.h \
	tests/bench/potbench_consensus.c \
	tests/bench/potbench_data.c tests/bench/potbench_data.h \
	tests/bench/potbench_direct.c tests/bench/potbench_direct.h \
	tests/bench/potbench_flight.c tests/bench/potbench_flight.h \
	tests/bench/potbench_http.c tests/bench/potbench_http.h \
	tests/bench/potbench_load.c tests/bench/potbench_load.h \
	tests/bench/null_replica.c tests/bench/null_replica.h \
	tests/bench/potbench_net.c tests/bench/potbench_net.h \
	tests/bench/potbench_null.c \
	tests/bench/potbench_parts.c tests/bench/potbench_parts.h \
	tests/bench/potbench_report.c tests/bench/potbench_report.h \
	tests/bench/potbench_swarm.c \
	tests/bench/potbench_train.c \
	tests/bench/potbench_txs.c \
	tests/bench/potbench_watch.c tests/bench/potbench_watch.h \
	tests/bench/swarm.h tests/bench/swarm_crowd.c \
	tests/bench/swarm_miners.c tests/bench/swarm_miners.h \
	tests/bench/swarm_order.c tests/bench/swarm_order.h \
	tests/bench/swarm_rounds.c \
	tests/bench/swarm_traffic.c tests/bench/swarm_traffic.h \
	tests/bench/swarm_watch.c tests/bench/swarm_watch.h \
	tests/worker_driver.c tests/worker_driver.h
nodist_EXTRA_potbench_SOURCES = links-c++.cpp
potbench_CPPFLAGS = $(ctl_cppflags) $(UV_CFLAGS)
potbench_LDADD = consensus/libconsensus.a p2p/libp2p.a training/libmlp.a \
	ledger/libledger.a \
	$(ctl_libs) \
	$(UV_LIBS) -lpthread

# The measurement of consensus under the name of its own.
noinst_SCRIPTS = tests/bench/consensus
CLEANFILES += tests/bench/consensus
tests/bench/consensus: Makefile
	$(AM_V_GEN)$(MKDIR_P) tests/bench && { echo '#!/bin/sh'; \
		echo 'exec "$$(dirname "$$0")/../../potbench" consensus "$$@"'; \
		} >$@ && chmod +x $@

# Minutes, not seconds; nothing is asserted.  POTBENCH_FLAGS goes to each run.
.PHONY: bench
bench: potbench potd potctl pot-worker
	./potbench worker --seconds 3 $(POTBENCH_FLAGS)
	./potbench txs --rate 100 --seconds 8 $(POTBENCH_FLAGS)
	./potbench txs --seconds 8 $(POTBENCH_FLAGS)
	./potbench train --seconds 8 $(POTBENCH_FLAGS)
	./potbench train --model fashion --rows 2048 --seconds 8 \
		$(POTBENCH_FLAGS)
