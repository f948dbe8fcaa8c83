#!/bin/sh
# Local steps in four bits: miners with other kernels and numbers of workers
# than their validators, every submission audited, and none refused but a
# cheat's; and a model that has learned.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 4 3
wide=scalar
grep -qw avx2 /proc/cpuinfo && wide=avx2
set_key miner1 miner workers 3
POT_EXACT_KERNEL=scalar start validator0 miner0
POT_EXACT_KERNEL=$wide start validator1 miner1
start validator2 validator3
start_bad drift miner2
await_ready $names
make_task local 30 min_submissions=2 audit_rate=1.0 'numerics="exact"' \
    'compression="int4"' local_steps=8 learning_rate=0.7 'schedule="cosine"' \
    >/dev/null
sed -i 's/^\[optimizer\]/&\nkind = "nesterov"\nlocal_rate = 0.2/' \
    "$WORK/local.toml"
task=$(submit validator0 "$WORK/local.toml")
await 60 "the task ended" has_ended validator0 "$task"
task_of validator0 "$task" >"$WORK/task.json"
holds '.status == "completed" and .round == .rounds and .submissions >= 30 and
    .test_accuracy >= 0.93' "$WORK/task.json" ||
    fail "$(cat "$WORK/task.json")"

for honest in miner0 miner1; do
    ! was_refused "$(address_of $honest)" || fail "$honest was refused"
done
await 20 "the cheat is refused" was_refused "$(address_of miner2)"
ctl validator0 replay "$task" --json >"$WORK/replay.json" ||
    fail "replay: $(cat "$WORK/replay.json")"
holds --slurpfile task "$WORK/task.json" '.identical and
    .gradients == $task[0].submissions and
    .parameters_hash == $task[0].parameters_hash' "$WORK/replay.json" ||
    fail "$(cat "$WORK/replay.json")"
same_chain validator0 validator1 validator2 validator3 miner0
no_bugs
echo "accuracy $(jq .test_accuracy "$WORK/task.json")," \
    "$(jq .submissions "$WORK/task.json") counted," \
    "$(jq .rejected "$WORK/task.json") refused"
