# tests/: unit tests under cmocka; one program a module.
if HAVE_CMOCKA
include tests/unit/local.mk
include tests/bench/storage.mk
include tests/fuzz/local.mk
endif
include tests/sim/local.mk
include tests/bench/local.mk
include tests/interop/local.mk
include tests/e2e/local.mk

# What takes long: more lives in the simulator, more mutations.
.PHONY: check-long
check-long: check
	tests/sim/sim_pbft --seeds 100000..120000
	srcdir=$(srcdir) POT_FUZZ_RUNS=2000000 POT_FUZZ_SEED=2 \
		sh $(srcdir)/tests/fuzz/test_fuzz.sh
