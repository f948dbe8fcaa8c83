#!/bin/sh
# Four miners, each on another kernel as far as this processor has them, train
# Fashion-MNIST's model on images of its size in the exact lane; a replay in
# one process, on each kernel, comes to the same parameters, bit for bit, and
# finds a gradient that is not what the chain says.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 1 4

kernels=$(exact_kernels)
pin_kernels miner0 miner1 miner2 miner3
start $names
await_ready $names
# 28 x 28 bytes a row, of ten classes, from a fixed sequence.
idx() { # file rows seed
    awk -v rows="$2" -v seed="$3" 'BEGIN {
        for (i = 0; i < rows; i++) {
            printf "%d", i % 10
            for (k = 0; k < 784; k++) {
                seed = (seed * 1103515245 + 12345) % 2147483648
                printf ",%d", (k % 10 == i % 10 ? 128 : 0) + seed % 97
            }
            print ""
        }
    }' >"$1"
}
idx "$WORK/train.csv" 400 1
idx "$WORK/test.csv" 40 2
cat >"$WORK/wide.toml" <<'TOML'
name = "wide"
[data]
train = "train.csv"
test = "test.csv"
label = "first"
[model]
layers = [784, 128, 10]
[training]
rounds = 8
rows_per_miner = 64
min_submissions = 3
aggregation = "centered_clipping"
numerics = "exact"
audit_rate = 1.0
eval_every = 8
[reward]
budget = "10"
TOML
task=$(submit validator0 "$WORK/wide.toml")
await 60 "the task ended" has_ended validator0 "$task"
task_of validator0 "$task" >"$WORK/task.json"
holds '.status == "completed" and .rejected == 0' "$WORK/task.json" ||
    fail "$(cat "$WORK/task.json")"

were_pinned $kernels
for kernel in $kernels; do
    is_replayed validator0 "$task" "$kernel"
done
# What a node that was started again holds is still there for it.
stop_cleanly validator0
start validator0
await_ready validator0
is_replayed validator0 "$task" auto

# Each reward says why.
ctl validator0 rewards --task "$task" --json >"$WORK/rewards.json"
holds -s 'map(select(.for == "training")) | length > 0 and
    all(.why | test("^64 of the round.s (192|256) accepted rows; audited$"))' \
    "$WORK/rewards.json" || fail "$(cat "$WORK/rewards.json")"

# A node that keeps rounds back is not believed, however right the others are.
"$SOURCE/tests/e2e/short_list.py" "$(url_of validator0)" 5 "$WORK/port" &
await 10 "the node that keeps rounds back" test -s "$WORK/port"
code=0
potctl --node "http://127.0.0.1:$(cat "$WORK/port")" replay "$task" \
    >/dev/null 2>"$WORK/short.err" || code=$?
[ "$code" = 6 ] || fail "rounds kept back: exit code $code"
grep -q "8 rounds are closed, and lists 5;" "$WORK/short.err" ||
    fail "rounds kept back: $(cat "$WORK/short.err")"

# The same with local steps, few elements, and moments that grow old.
sed -e 's/^name.*/name = "packed"/' -e 's/^rounds.*/rounds = 4/' \
    -e 's/^aggregation.*/aggregation = "mean"/' \
    -e 's/^numerics.*/&\nlocal_steps = 8\ncompression = "topk"/' \
    -e 's/^\[training\]/[optimizer]\nkind = "adam"\nlocal_rate = 0.1\n&/' \
    "$WORK/wide.toml" >"$WORK/packed.toml"
task=$(submit validator0 "$WORK/packed.toml")
await 60 "the task ended" has_ended validator0 "$task"
task_of validator0 "$task" >"$WORK/task.json"
is_replayed validator0 "$task" auto

# A false gradient that nobody audits is paid, and found.
kill_hard miner3
start_bad flip miner3
await_ready miner3
sed -e 's/^name.*/name = "unaudited"/' -e 's/^audit_rate.*/audit_rate = 0.0/' \
    -e 's/^min_sub.*/min_submissions = 4/' -e 's/^rounds.*/rounds = 2/' \
    -e 's/^budget.*/budget = "0.000000002"/' "$WORK/wide.toml" \
    >"$WORK/unaudited.toml"
task=$(submit validator0 "$WORK/unaudited.toml")
await 60 "the task ended" has_ended validator0 "$task"
code=0
ctl validator0 replay "$task" --json >"$WORK/replay.json" || code=$?
holds --arg m "$(address_of miner3)" '.identical == false and .difference == "gradient" and
    .miner == $m and .told != .made' "$WORK/replay.json" ||
    fail "the cheat was not found: $(cat "$WORK/replay.json")"
[ "$code" = 6 ] || fail "a difference: exit code $code"

# What cannot be replayed is refused.
code=0
ctl validator0 replay "$task" --kernel sse >/dev/null 2>&1 || code=$?
[ "$code" = 2 ] || fail "an unknown kernel: exit code $code"
code=0
ctl validator0 replay "$(printf '%064d' 0)" >/dev/null 2>&1 || code=$?
[ "$code" = 1 ] || fail "an unknown task: exit code $code"
no_bugs
echo "the same on" $kernels
