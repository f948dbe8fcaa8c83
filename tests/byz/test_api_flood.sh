#!/bin/sh
# Thousands of bad clients at the API of a validator, of all kinds, while
# somebody else asks for its status: he is answered each time, blocks go on,
# and the node holds no more descriptors and memory than its limits say.
. "${srcdir:-.}/tests/e2e/lib.sh"
. "${srcdir:-.}/tests/byz/byz.sh"
rss_max_kb=${POT_RSS_MAX_KB:-200000}

init_quick_net 2 0
start $names
await_ready $names

"$BUILD/tests/byz/api_flood" "$(port_of validator0)" 10 >"$WORK/flood" 2>&1 &
flood=$!
asked=0
files_max=0
before=$(height_of validator1)
while kill -0 "$flood" 2>/dev/null; do
    await 8 "an answer to an honest client" ctl validator0 status --json
    asked=$((asked + 1))
    files=$(ls "/proc/$(cat "$NET/validator0/pid")/fd" | wc -l)
    [ "$files" -le "$files_max" ] || files_max=$files
    sleep 0.2
done
wait "$flood" || fail "$(cat "$WORK/flood")"
after=$(height_of validator1)
echo "$(cat "$WORK/flood"); $asked answers, $((after - before)) blocks," \
    "$files_max files, $(rss_of validator0) KiB"
[ "$asked" -ge 3 ] || fail "only $asked answers"
[ "$after" -gt "$before" ] || fail "no block was committed meanwhile"
# 64 connections and as many on their way out, and what the node has open.
[ "$files_max" -lt 250 ] || fail "$files_max descriptors"
[ "$(rss_of validator0)" -lt "$rss_max_kb" ] ||
    fail "validator0 holds $(rss_of validator0) KiB"
metric_above validator0 pot_api_evicted_connections_total 0 ||
    fail "nobody was made to go"
await_ready $names
same_chain $names
stop_cleanly $names
no_bugs
