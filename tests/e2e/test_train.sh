#!/bin/sh
# Four validators and two miners train on handwritten digits: the same chain
# everywhere, rewards that add up, a model that has learned, stores that
# verify.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 4 2
start $names
await_ready $names

task=$(submit validator0 "$(make_task digits 60)")
await 90 "the task ended" has_ended validator1 "$task"
await_end_of "$task" $names
task_of validator0 "$task" >"$WORK/task.json"
holds '.status == "completed" and .round == .rounds and .rejected == 0' \
    "$WORK/task.json" || fail "$(cat "$WORK/task.json")"
holds '.test_accuracy >= 0.9' "$WORK/task.json" ||
    fail "accuracy $(jq .test_accuracy "$WORK/task.json")"

# Rewards add up to what was paid; paid and refund to the budget.
paid=$(jq -r .paid "$WORK/task.json")
sum=$(ctl validator2 rewards --task "$task" --json |
    jq -s '[.[] | select(.for != "slash") | .amount | tonumber] | add')
[ "$paid" = "$sum" ] || fail "paid $paid, but the rewards are $sum"
[ "$(jq -r .escrow_left "$WORK/task.json")" = 0 ] || fail "escrow is left"

# Supply: balances and stakes of everyone are what the genesis gave.
supply=$(jq '([.accounts[].balance, .stakes[].amount] | map(tonumber) | add)' \
    "$NET/genesis.json")
total=0
for address in $(jq -r '[.accounts[].address, .stakes[].address] | unique[]' \
    "$NET/genesis.json"); do
    ctl validator3 balance "$address" --json >"$WORK/balance.json"
    total=$(jq -n --slurpfile b "$WORK/balance.json" --argjson t "$total" \
        '$t + ($b[0].balance | tonumber) + ($b[0].staked | tonumber)')
done
[ "$(jq -n "$supply == $total")" = true ] ||
    fail "supply was $supply, is $total"

# The model is handed back, and classifies in floating point as on the chain.
ctl miner0 task "$task" --save "$WORK/model.safetensors" >/dev/null
python3 "$SOURCE/tests/e2e/score.py" "$WORK/model.safetensors" \
    "$WORK/digits-test.csv" >"$WORK/score"
jq -n --slurpfile t "$WORK/task.json" --slurpfile s "$WORK/score" \
    '($t[0].test_accuracy - $s[0]) | fabs < 0.006' | grep -q true ||
    fail "the saved model scores $(cat "$WORK/score")"

ctl miner0 dataset show "$(jq -r .train_dataset "$WORK/task.json")" --json |
    holds '.divisor == 16 and (.class_names | length) == 10' ||
    fail "the published data set's divisor is not shown"

# Decimals are divided at the import by what the chain does not keep, so a saved
# model does not claim a divisor, and says so.
awk 'BEGIN { for (i = 0; i < 200; i++)
    printf "%.1f,%.2f,%s\n", i / 4, 50 - i / 5, i < 100 ? "a" : "b" }' \
    >"$WORK/decimals.csv"
cat >"$WORK/decimals.toml" <<EOF
name = "decimals"
[data]
train = "decimals.csv"
test_split = 0.2
label = "last"
[model]
layers = [2, 4, 2]
[training]
rounds = 2
rows_per_miner = 32
[reward]
budget = "0.1"
EOF
decimals=$(ctl validator0 submit-task "$WORK/decimals.toml" --wait 2>"$WORK/said" |
    head -n 1)
grep -q "features are divided by 50" "$WORK/said" || fail "$(cat "$WORK/said")"
ctl validator0 task "$decimals" --save "$WORK/decimals.safetensors" \
    >/dev/null 2>"$WORK/said"
grep -q "divided by is not saved" "$WORK/said" || fail "$(cat "$WORK/said")"
python3 "$SOURCE/tests/e2e/score.py" --metadata "$WORK/decimals.safetensors" |
    holds '.feature_type == "fixed point" and (has("divisor") | not)' ||
    fail "the saved model of decimals says what it cannot know"

# A line a round, in order.
ctl miner0 watch "$task" --json >"$WORK/rounds"
[ "$(wc -l <"$WORK/rounds")" -eq 60 ] || fail "$(wc -l <"$WORK/rounds") rounds"

same_chain $names
ctl validator0 verify-chain --genesis "$NET/genesis.json" --json |
    holds '.ok' || fail "verify-chain"

# SIGTERM stops a node within five seconds, and a single one starts again.
begun=$(now_ms)
stop_cleanly $names
[ $(($(now_ms) - begun)) -lt 5000 ] || fail "stopping took too long"
verify_stores validator0 validator3 miner1
no_bugs
echo "trained, accuracy $(jq .test_accuracy "$WORK/task.json")"
