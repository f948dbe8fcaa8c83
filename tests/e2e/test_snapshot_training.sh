#!/bin/sh
# A new node gets in by a snapshot though a task trains: what the state of that
# height refers to, the parameters of rounds that could be challenged, is there
# still when the chain has let go of it.
. "${srcdir:-.}/tests/e2e/lib.sh"
INTERVAL=200
init_net 4 3
all="validator0 validator1 validator2 validator3 miner0 miner1"
for each in $names; do
    set_key "$each" consensus idle_interval_ms 20
    set_key "$each" storage snapshot_interval $INTERVAL
    set_key "$each" storage keep_blocks 32
done
set_key miner2 miner enabled false
set_key miner2 storage begin_with_snapshot true
start $all
await_ready $all
task=$(submit validator0 "$(make_task snapshot 20000)")
trains() { round_reaches validator0 "$task" "$1"; }
await 60 "rounds" trains 20
from=$(height_of validator0)
await 120 "a snapshot with many rounds in it" reaches validator0 \
    $((from / INTERVAL * INTERVAL + 2 * INTERVAL + 5))
before=$(round_of validator0 "$task")
start miner2
is_in() { grep -q 'snapshot installed' "$NET/miner2/potd.log"; }
await 60 "it is in" is_in
await 60 "and follows" reaches miner2 "$(height_of validator0)"
[ "$(round_of validator0 "$task")" -gt "$before" ] || fail "nobody trained"
echo "in with $(grep -o 'part=blobs.*of=[0-9]*' "$NET/miner2/potd.log" |
    tail -n 1)"
at=$(height_of miner2)
await 20 "validator0 has that block" reaches validator0 "$at"
[ "$(get miner2 "/v1/blocks/$at" hash)" = \
    "$(get validator0 "/v1/blocks/$at" hash)" ] || fail "another chain"
no_bugs
