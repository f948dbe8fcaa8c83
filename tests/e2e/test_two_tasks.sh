#!/bin/sh
# A miner that finds two tasks at once joins both, and trains both; the API
# says how far their rounds are.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 1 1
start validator0
await_ready validator0
make_task one 100000 >/dev/null
make_task other 100000 >/dev/null
# A miner that dies between commitment and submission holds its round up so long.
sed -i 's/^\[training\]/&\nround_timeout_ms = 4000/' "$WORK/one.toml"
one=$(submit validator0 "$WORK/one.toml")
other=$(submit validator0 "$WORK/other.toml")
is_running() { [ "$(task_of validator0 "$1" | jq -r .status)" = running ]; }
await 20 "the first task" is_running "$one"
await 20 "the second task" is_running "$other"
has_phase() { # what jq prints of it
    get validator0 "/v1/tasks/$one" | jq .phase | grep -qx "$1"
}
has_phase null || fail "a round is open without a miner"
start miner0
await 30 "rounds of the first task" round_reaches validator0 "$one" 3
await 30 "rounds of the second task" round_reaches validator0 "$other" 3
if grep 'cannot join task' "$NET/miner0/potd.log"; then
    fail "the joins stood in each other's way"
fi
await 30 "commitments are closed" has_phase '"revealing"'
kill_hard miner0
await 30 "nobody commits" has_phase '"committing"'
stop_cleanly validator0
no_bugs
echo "two tasks, both trained"
