# tests/: unit tests under cmocka; one program a module.
if HAVE_CMOCKA
include tests/unit/local.mk
include tests/bench/storage.mk
include tests/fuzz/local.mk
endif
include tests/sim/local.mk
include tests/vsim/local.mk
include tests/bench/local.mk
include tests/interop/local.mk
include tests/e2e/local.mk
include tests/byz/local.mk

# What takes long: more lives in the simulators, more mutations, a soak.
.PHONY: check-long
check-long: check
	sh $(srcdir)/tests/check_long.sh $(srcdir)

EXTRA_DIST += tests/check_long.sh
