#!/bin/sh
# fuzz_long.sh SOURCE: each fuzz target under libFuzzer, with sanitizers, for
# POT_FUZZ_SECONDS each (60), in a build of its own by clang (build-fuzz here).
# What it finds lies in build-fuzz/found/TARGET, and ends it.
set -eu
source=$(cd "$1" && pwd)
seconds=${POT_FUZZ_SECONDS:-60}
command -v clang >/dev/null || {
    echo "fuzz_long.sh: clang is missing: apt install clang libclang-rt-14-dev"
    exit 77
}
mkdir -p build-fuzz && cd build-fuzz
[ -e Makefile ] || "$source/configure" --quiet --enable-fuzzing CC=clang \
    CXX=clang++
targets=$(sed -n 's/^\t\(tests\/fuzz\/fuzz_[a-z_]*\).*/\1/p' \
    "$source/tests/fuzz/local.mk")
# One after the other: all is made by another make, of the same files.
make -s -j"$(nproc)" all
make -s -j"$(nproc)" $targets
for target in $targets; do
    name=${target#tests/fuzz/fuzz_}
    corpus=$source/tests/fuzz/corpus/$name
    mkdir -p "found/$name"
    [ -d "$corpus" ] || corpus=
    echo "$name: $seconds s"
    "$target" -max_total_time="$seconds" -verbosity=0 -print_final_stats=1 \
        -artifact_prefix="found/$name/" "found/$name" $corpus \
        >"found/$name.log" 2>&1 || {
        tail -n 20 "found/$name.log"
        echo "FAILED: $name: the input lies in build-fuzz/found/$name"
        exit 1
    }
    grep number_of_executed "found/$name.log"
done
