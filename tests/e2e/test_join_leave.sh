#!/bin/sh
# Miners come and go in the middle of a task, one validator is away for more
# than a hundred blocks, and one starts from nothing: the task goes on, and
# in the end all agree.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 4 3
start validator0 validator1 validator2 validator3 miner0
await_ready validator0 validator1 validator2 validator3 miner0
task=$(submit validator0 "$(make_task join 100000)")
await 30 "rounds with one miner" round_reaches validator0 "$task" 5
members() { task_of validator0 "$task" | jq -r .members; }
has_members() { [ "$(members)" -eq "$1" ]; }
goes_on() {
    at=$(round_of validator0 "$task")
    await 40 "rounds $1" round_reaches validator0 "$task" $((at + 5))
}

start miner1 miner2
await 20 "three miners are members" has_members 3
goes_on "with three miners"
kill_hard miner0
goes_on "after the first one was killed"
await 30 "the first one was dropped" has_members 2
kill -STOP "$(cat "$NET/miner1/pid")"
goes_on "while one is frozen"
kill -CONT "$(cat "$NET/miner1/pid")"

# A validator that is away for a hundred blocks, rounds in them.
stop_cleanly validator3
away=$(height_of validator0)
await 60 "a hundred blocks without it" reaches validator0 $((away + 100))
start validator3 miner0
await_ready validator3
await 30 "validator3 has caught up" reaches validator3 $((away + 100))
await 20 "three miners are members again" has_members 3

# Nobody left: rounds close empty or wait; someone comes back, and it goes on.
kill_hard miner0 miner1 miner2
at=$(round_of validator0 "$task")
start miner2
await 40 "rounds after all miners were gone" round_reaches validator0 \
    "$task" $((at + 5))

# A miner without a store catches up from nothing.
kill_hard miner2
rm -rf "$NET/miner2/store" "$NET/miner2/datasets"
start miner2
await_ready miner2
await 40 "a miner that lost its disk" reaches miner2 $((away + 100))
at=$(round_of validator0 "$task")
await 40 "it trains again" round_reaches validator0 "$task" $((at + 5))
ctl validator0 cancel-task "$task" --wait --json >/dev/null
top=$(height_of validator0)
for each in validator0 validator1 validator2 validator3 miner2; do
    await 20 "$each is at the top" reaches "$each" "$top"
done
same_chain validator0 validator1 validator2 validator3 miner2
stop_cleanly validator0 validator1 validator2 validator3 miner2
verify_stores validator3 miner2
no_bugs
echo "miners came and went; $(jq -n "$top") blocks"
