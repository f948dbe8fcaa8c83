#!/bin/sh
# kill -9 while training: of the primary, of a validator, of a miner, of a
# worker, of everyone.  The task goes on every time, and in the end all have
# the same chain.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 4 2
for each in $names; do
    set_key "$each" consensus propose_timeout_ms 800
done
start $names
await_ready $names
task=$(submit validator3 "$(make_task digits 240)")
await 30 "the first rounds" round_reaches validator3 "$task" 5

goes_on() { # node what
    at=$(round_of "$1" "$task")
    await 20 "rounds after $2" round_reaches "$1" "$task" $((at + 10))
}

primary=$(ctl validator3 status --json | jq -r .primary)
for each in validator0 validator1 validator2 validator3; do
    ctl "$each" status --json >"$WORK/status" || continue
    [ "$(jq -r .node "$WORK/status")" = "$primary" ] && victim=$each
done
watcher=validator3
[ "$victim" = validator3 ] && watcher=validator2
kill_hard "$victim"
goes_on "$watcher" "the primary's death ($victim)"
start "$victim"
await 30 "$victim is back" reaches "$victim" "$(height_of "$watcher")"

other=validator1
[ "$victim" = validator1 ] && other=validator0
kill_hard "$other"
goes_on "$watcher" "a validator's death ($other)"
start "$other"
await 30 "$other is back" reaches "$other" "$(height_of "$watcher")"

kill_hard miner0
goes_on "$watcher" "a miner's death"
start miner0
worker=$(pgrep -P "$(cat "$NET/miner1/pid")" pot-worker | head -n 1)
kill -9 "$worker"
goes_on "$watcher" "a worker's death"
await 20 "the worker is started again" \
    pgrep -P "$(cat "$NET/miner1/pid")" pot-worker

at=$(round_of "$watcher" "$task")
kill_hard $names
start $names
await_ready $names
[ "$(round_of "$watcher" "$task")" -ge "$at" ] || fail "committed rounds were lost"
goes_on "$watcher" "everyone's death"

await 120 "the task ended" has_ended "$watcher" "$task"
[ "$(task_of "$watcher" "$task" | jq -r .status)" = completed ] ||
    fail "$(task_of "$watcher" "$task")"
top=$(height_of "$watcher")
for each in $names; do
    await 30 "$each has caught up" reaches "$each" "$top"
done
same_chain $names
stop_cleanly $names
verify_stores validator0 validator1 validator2 validator3 miner0
no_bugs
echo "everyone died once, and the model was trained"
