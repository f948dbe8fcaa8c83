#!/bin/sh
# A miner whose submissions name the task's parameters, which every validator
# holds and which are no gradient, is refused at once, and rounds go
# on: nobody reads them again and again, and a round whose roster was the
# cheat alone makes way for those who have joined since.
. "${srcdir:-.}/tests/e2e/lib.sh"
. "$SOURCE/tests/byz/byz.sh"
init_net 1 2
refused() { grep -c "submission refused.*another size" "$NET/validator0/potd.log"; }
has_refused() { [ "$(refused)" -ge "$1" ]; }
has_counted() {
    [ "$(task_of validator0 "$task" | jq .submissions)" -ge "$1" ]
}
start validator0
start_byz miner1 payload-misnamed
await_ready validator0 miner1
# Its time-out is longer than anything that is waited for here.
file=$(make_task misnamed 100000)
sed -i 's/^\[training\]/&\nround_timeout_ms = 86400000/' "$file"
task=$(submit validator0 "$file")
await 60 "the cheat is refused" has_refused 1
start miner0
await 60 "rounds go on" has_counted 3
ctl validator0 cancel-task "$task" --wait >/dev/null
paid=$(ctl validator0 rewards --task "$task" --json \
    --miner "$(address_of miner1)" | wc -l)
[ "$paid" -eq 0 ] || fail "the cheat was paid $paid times"
same_chain validator0 miner0
no_bugs
echo "refused $(refused) times"
