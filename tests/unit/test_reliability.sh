#!/bin/sh
# docs/reliability.md names a test for each of its rows, and each test that it
# names is there: `tests/FILE`, `tools/FILE` or `tests/FILE:CASE`, CASE standing in
# the file.
set -eu
source=${srcdir:-..}
page=$source/docs/reliability.md
failed=0
complain() {
    echo "docs/reliability.md: $*"
    failed=$((failed + 1))
}

for id in $(seq -f 'B%.0f' 14) $(seq -f 'F%.0f' 18) $(seq -f 'T%.0f' 14); do
    row=$(grep "^| $id |" "$page") || {
        complain "no row $id"
        continue
    }
    case $row in
    *'`tests/'* | *'`tools/'*) ;;
    *) complain "$id names no test" ;;
    esac
done

for test in $(grep '^| [BFT][0-9]* |' "$page" | grep -oE '`(tests|tools)/[^`]*`' |
    tr -d '`' | sort -u); do
    file=${test%%:*}
    if [ ! -e "$source/$file" ]; then
        complain "$file is not there"
    elif [ "$file" != "$test" ] &&
        ! grep -qF "${test#*:}" "$source/$file"; then
        complain "$file has no ${test#*:}"
    fi
done
[ "$failed" -eq 0 ]
