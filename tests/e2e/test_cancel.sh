#!/bin/sh
# A task is cancelled in its middle: what is left goes back to its owner, to
# the last unit; nobody else may cancel it, and nobody twice.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 4 2
start $names
await_ready $names
balance() { ctl validator0 balance --json | jq -r .balance; }
task=$(submit validator0 "$(make_task cancelled 5000)")
await 30 "some rounds" round_reaches validator0 "$task" 5

got=0
POTCTL_KEY=$NET/miner0/key ctl validator0 cancel-task "$task" --wait \
    >"$WORK/out" 2>&1 || got=$?
[ "$got" -eq 6 ] || fail "a stranger's cancel: exit $got: $(cat "$WORK/out")"

before=$(balance)
ctl validator1 cancel-task "$task" --wait --json >/dev/null
await_end_of "$task" validator0 validator2
task_of validator0 "$task" >"$WORK/task.json"
holds '.status == "cancelled" and .escrow_left == "0" and .round >= 5' \
    "$WORK/task.json" || fail "$(cat "$WORK/task.json")"
paid=$(jq -r .paid "$WORK/task.json")
back=$(jq -n --argjson a "$(balance)" --argjson b "$before" '$a - $b')
budget=$(jq -r .budget "$WORK/task.json")
fee_max=10000000
holds -n --argjson back "$back" --argjson left "$((budget - paid))" \
    --argjson fee "$fee_max" '$back <= $left and $back >= $left - $fee' ||
    fail "$back came back of $((budget - paid))"
sum=$(ctl validator2 rewards --task "$task" --json |
    jq -s '[.[] | select(.for != "slash") | .amount | tonumber] | add')
[ "$sum" = "$paid" ] || fail "paid $paid, rewards $sum"

got=0
ctl validator0 cancel-task "$task" --wait >"$WORK/out" 2>&1 || got=$?
[ "$got" -eq 6 ] || fail "cancelled twice: exit $got: $(cat "$WORK/out")"

# The miners are free for the next one.
second=$(submit validator0 "$(make_task second 10)")
await 60 "the next task ended" has_ended validator0 "$second"
[ "$(task_of validator0 "$second" | jq -r .status)" = completed ] ||
    fail "the next task did not complete"
same_chain $names
stop_cleanly $names
no_bugs
echo "cancelled after $(jq .round "$WORK/task.json") rounds, the rest came back"
