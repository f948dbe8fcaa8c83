#!/bin/sh
# Every way to cheat, one miner each, beside an honest one.  Each submission
# is audited: the cheats are refused on the chain and earn nothing, the honest
# miner earns, the model is trained, and all validators agree.
. "${srcdir:-.}/tests/e2e/lib.sh"
cheats="noise stale half zero flip nudge huge copy"
init_net 4 9
export POT_BAD_FILE="$WORK/sums" # of the honest one, for who copies
rounds=20

start validator0 validator1 validator2 validator3
start_bad dump miner0
index=1
for cheat in $cheats; do
    start_bad "$cheat" "miner$index"
    index=$((index + 1))
done
await_ready $names
task=$(submit validator0 "$(make_task cheat $rounds audit_rate=1.0 \
    'numerics="blas"')")
await 60 "the task ended" has_ended validator0 "$task"
task_of validator0 "$task" >"$WORK/task.json"
holds '.status == "completed" and .round == .rounds' "$WORK/task.json" ||
    fail "$(cat "$WORK/task.json")"
holds '.test_accuracy >= 0.8' "$WORK/task.json" ||
    fail "accuracy $(jq .test_accuracy "$WORK/task.json")"
ctl validator0 rewards --task "$task" --json >"$WORK/rewards"

earned() { # address
    jq -s --arg to "$1" '[.[] | select(.to == $to and .for == "training") |
        .amount | tonumber] | add // 0' "$WORK/rewards"
}

[ "$(earned "$(address_of miner0)")" -gt 0 ] || fail "honesty was not paid"
index=1
for cheat in $cheats; do
    [ "$(earned "$(address_of "miner$index")")" = 0 ] ||
        fail "$cheat was paid $(earned "$(address_of "miner$index")")"
    await 20 "$cheat is refused" was_refused "$(address_of "miner$index")"
    index=$((index + 1))
done
holds '.rejected >= 8' "$WORK/task.json" ||
    fail "rejected on the chain: $(jq .rejected "$WORK/task.json")"
same_chain validator0 validator1 validator2 validator3 miner0
stop_cleanly $names
verify_stores validator0
no_bugs
echo "refused on the chain: $(jq .rejected "$WORK/task.json"), accuracy" \
    "$(jq .test_accuracy "$WORK/task.json")"
