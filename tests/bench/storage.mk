# Built by make check, run by hand: no test asserts a timing.
check_PROGRAMS += tests/bench/bench_store
tests_bench_bench_store_SOURCES = tests/bench/bench_store.c
tests_bench_bench_store_CPPFLAGS = $(unit_storage_cppflags)
tests_bench_bench_store_LDADD = $(unit_storage_libs)
