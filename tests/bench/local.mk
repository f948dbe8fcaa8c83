# Benchmarks: built by make check, run by hand.
bench_cppflags = $(AM_CPPFLAGS) $(SODIUM_CFLAGS) $(PROTOBUFC_CFLAGS) \
	$(OPENBLAS_CFLAGS)
bench_training_libs = training/libmlp.a training/libtraining.a \
	proto/libproto.a proto/libformats.a base/libbase.a \
	$(OPENBLAS_LIBS) $(PROTOBUFC_LIBS) $(SODIUM_LIBS) $(ZLIB_LIBS) \
	-lm -lpthread

check_PROGRAMS += tests/bench/bench_audit
tests_bench_bench_audit_SOURCES = tests/bench/bench_audit.c \
	tests/worker_driver.c tests/worker_driver.h
tests_bench_bench_audit_CPPFLAGS = $(bench_cppflags)
tests_bench_bench_audit_LDADD = $(bench_training_libs)

check_PROGRAMS += tests/bench/bench_worker
tests_bench_bench_worker_SOURCES = tests/bench/bench_worker.c \
	tests/worker_driver.c tests/worker_driver.h
tests_bench_bench_worker_CPPFLAGS = $(bench_cppflags)
tests_bench_bench_worker_LDADD = $(bench_training_libs)
