# tests/: unit tests under cmocka; one program a module.
#
# make check runs the scripts first, as config.h is looked at again before any
# program, and then the programs, each in the order of this page.  Those that run
# for a minute on one core stand first: none of them is to be left over, alone.
include tests/sim/local.mk
include tests/vsim/local.mk
if HAVE_CMOCKA
include tests/unit/local.mk
include tests/bench/storage.mk
include tests/fuzz/local.mk
endif
include tests/bench/local.mk
include tests/interop/local.mk
include tests/e2e/local.mk
include tests/byz/local.mk

# What takes long: more lives in the simulators, more mutations, a soak.  Each
# part can be made alone; with -j2 two go side by side.
long_parts = \
	check-long-nodes \
	check-long-libfuzzer \
	check-long-replicas \
	check-long-mutations \
	check-long-reproducible \
	check-long-fashion \
	check-long-soak
.PHONY: check-long $(long_parts)
check-long: check
	$(MAKE) $(AM_MAKEFLAGS) $(long_parts)

$(long_parts):
	@sh $(srcdir)/tests/check_long.sh $(srcdir) $@

EXTRA_DIST += tests/check_long.sh
