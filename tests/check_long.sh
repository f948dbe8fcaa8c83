#!/bin/sh
# check_long.sh SOURCE: what `make check-long` runs after `make check`, in the
# build folder.  Each part is told with its time; one that fails ends it.
set -eu
srcdir=$1
export srcdir

part() { # name command...
    part_name=$1
    shift
    part_begun=$(date +%s)
    echo "== $part_name"
    "$@" || {
        echo "FAILED: $part_name: $*"
        exit 1
    }
    echo "== $part_name: $(($(date +%s) - part_begun)) s"
}

part "replicas" tests/sim/sim_pbft --seeds 100000..120000
part "nodes" tests/vsim/vsim --seeds 1001..11000
part "mutations" env POT_FUZZ_RUNS=2000000 POT_FUZZ_SEED=2 \
    sh "$srcdir/tests/fuzz/test_fuzz.sh"
part "libFuzzer" sh "$srcdir/tests/fuzz/fuzz_long.sh" "$srcdir"
part "reproducible" sh "$srcdir/tools/check-reproducible" "$srcdir"
[ -z "${POT_FASHION_MNIST:-}" ] ||
    part "Fashion-MNIST" sh "$srcdir/tests/e2e/replay_fashion.sh" \
        "$POT_FASHION_MNIST"
part "soak" sh "$srcdir/tests/e2e/soak.sh" "${POT_SOAK_SECONDS:-600}"
