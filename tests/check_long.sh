#!/bin/sh
# check_long.sh SOURCE PART: one part of `make check-long`, in the build folder,
# told with its time.
set -eu
srcdir=$1
export srcdir
part=${2#check-long-}

run_part() {
    case $part in
    replicas) tests/sim/sim_pbft --seeds 100001..110000 ;;
    nodes) tests/vsim/vsim --seeds 1001..11000 ;;
    mutations)
        POT_FUZZ_RUNS=500000 POT_FUZZ_SEED=2 \
            sh "$srcdir/tests/fuzz/test_fuzz.sh"
        ;;
    libfuzzer) sh "$srcdir/tests/fuzz/fuzz_long.sh" "$srcdir" ;;
    reproducible) sh "$srcdir/tools/check-reproducible" "$srcdir" ;;
    fashion)
        [ -n "${POT_FASHION_MNIST:-}" ] || {
            echo "skipped: POT_FASHION_MNIST names no folder"
            return 0
        }
        sh "$srcdir/tests/e2e/replay_fashion.sh" "$POT_FASHION_MNIST"
        ;;
    soak) sh "$srcdir/tests/e2e/soak.sh" "${POT_SOAK_SECONDS:-600}" ;;
    *)
        echo "check_long.sh: $part: no such part"
        return 2
        ;;
    esac
}

begun=$(date +%s)
echo "== $part"
run_part || {
    echo "FAILED: $part"
    exit 1
}
echo "== $part: $(($(date +%s) - begun)) s"
