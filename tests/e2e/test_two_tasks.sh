#!/bin/sh
# A miner that finds two tasks at once joins both, and trains both.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 1 1
start validator0
await_ready validator0
one=$(submit validator0 "$(make_task one 100000)")
other=$(submit validator0 "$(make_task other 100000)")
is_running() { [ "$(task_of validator0 "$1" | jq -r .status)" = running ]; }
await 20 "the first task" is_running "$one"
await 20 "the second task" is_running "$other"
start miner0
await 30 "rounds of the first task" round_reaches validator0 "$one" 3
await 30 "rounds of the second task" round_reaches validator0 "$other" 3
if grep 'cannot join task' "$NET/miner0/potd.log"; then
    fail "the joins stood in each other's way"
fi
stop_cleanly validator0 miner0
no_bugs
echo "two tasks, both trained"
