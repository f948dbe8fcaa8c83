#!/bin/sh
# replay_fashion.sh FOLDER [ROUNDS]: Fashion-MNIST, whose four files FOLDER
# holds, in the exact lane: four miners, each on another kernel as far as this
# processor has them, train the example's model for ROUNDS (200) rounds, and a
# replay in one process, on each kernel, comes to the same parameters.  By
# hand, and in check-long when POT_FASHION_MNIST names the folder.
. "${srcdir:-.}/tests/e2e/lib.sh"
data=${1:?the folder of the four files}
rounds=${2:-200}
init_net 1 4
kernels=$(exact_kernels)
pin_kernels miner0 miner1 miner2 miner3
start $names
await_ready $names

ln -s "$(cd "$data" && pwd)"/*-ubyte.gz "$WORK/"
sed -e "s/^rounds.*/rounds = $rounds/" -e "s/^eval_every.*/eval_every = $rounds/" \
    -e 's/^min_sub.*/min_submissions = 4/' \
    "$SOURCE/examples/fashion-mnist/task.toml" >"$WORK/fashion.toml"
grep -q '^numerics = "exact"' "$WORK/fashion.toml" || fail "not the exact lane"
task=$(submit validator0 "$WORK/fashion.toml")
await 600 "the task ended" has_ended validator0 "$task"
task_of validator0 "$task" >"$WORK/task.json"
holds --argjson n "$rounds" '.status == "completed" and .rejected == 0 and
    .submissions == 4 * $n' "$WORK/task.json" ||
    fail "$(cat "$WORK/task.json")"
were_pinned $kernels
for kernel in $kernels; do
    is_replayed validator0 "$task" "$kernel"
done
no_bugs
jq -r '"accuracy \(.test_accuracy), \(.submissions) gradients"' "$WORK/task.json"
echo "the same on" $kernels
