#!/bin/sh
# Every fuzz target over its corpus and over mutations of it.  POT_FUZZ_RUNS
# says how many; make check-long asks for more.
set -eu
corpus=$(cd "${srcdir:-.}" && pwd)/tests/fuzz/corpus
for target in tests/fuzz/fuzz_*; do
    case $target in *.o | *.c | *.sh) continue ;; esac
    [ -x "$target" ] || continue
    "$target" --runs "${POT_FUZZ_RUNS:-20000}" --seed "${POT_FUZZ_SEED:-1}" \
        "$corpus/${target##*/fuzz_}"
done
