#!/bin/sh
# Everyone dies at once, in the middle of rounds, again and again: whatever
# was decided can still be carried out, though all that was in memory is gone.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 4 2
for each in $names; do
    set_key "$each" consensus propose_timeout_ms 800
done
start $names
await_ready $names
task=$(submit validator0 "$(make_task mass 100000)")
await 30 "the first rounds" round_reaches validator0 "$task" 3
for death in 1 2 3 4 5 6 7 8; do
    at=$(round_of validator0 "$task")
    for each in $names; do
        kill -9 "$(cat "$NET/$each/pid")"
    done
    for each in $names; do
        wait "$(cat "$NET/$each/pid")" 2>/dev/null || true
    done
    start $names
    await_ready $names
    [ "$(round_of validator0 "$task")" -ge "$at" ] || fail "committed rounds were lost"
    await 30 "rounds after death $death" round_reaches validator0 "$task" \
        $((at + 3))
done
ctl validator0 cancel-task "$task" --wait --json >/dev/null
top=$(height_of validator0)
for each in $names; do
    await 20 "$each is at the top" reaches "$each" "$top"
done
same_chain $names
stop_cleanly $names
verify_stores validator0 validator1
no_bugs
echo "everyone died eight times; $top blocks"
