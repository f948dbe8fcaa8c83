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

"$BUILD/tests/byz/api_flood" "$(port_of validator0)" >"$WORK/flood" 2>&1 &
flood=$!
files_max=0
count_files() {
    files=$(ls "/proc/$(cat "$NET/validator0/pid")/fd" | wc -l)
    [ "$files" -le "$files_max" ] || files_max=$files
}
before=$(height_of validator1)
await 20 "somebody is made to go" \
    metric_above validator0 pot_api_evicted_connections_total 0
# With every place taken: what a quiet node does in a few seconds.
for _ in $(seq 10); do
    await 30 "an answer to an honest client" ctl validator0 status --json
    count_files
done
await 60 "20 blocks" reaches validator1 $((before + 20))
count_files
kill -TERM "$flood"
wait "$flood" || fail "$(cat "$WORK/flood")"
after=$(height_of validator1)
echo "$(cat "$WORK/flood"); $((after - before)) blocks," \
    "$files_max files, $(rss_of validator0) KiB"
# 64 connections and as many on their way out, and what the node has open.
[ "$files_max" -lt 250 ] || fail "$files_max descriptors"
[ "$(rss_of validator0)" -lt "$rss_max_kb" ] ||
    fail "validator0 holds $(rss_of validator0) KiB"
await_ready $names
same_chain $names
stop_cleanly $names
no_bugs
