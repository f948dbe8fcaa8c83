#!/bin/sh
# The exact lane: miners with other kernels and numbers of workers than their
# validators, every submission audited, and none is refused; but that of a
# cheat that stays within what the other lane allows.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 4 4
wide=scalar
grep -qw avx2 /proc/cpuinfo && wide=avx2
set_key miner0 miner blas_core '"Nehalem"'
set_key miner1 miner workers 3
POT_EXACT_KERNEL=scalar start validator0 validator1 miner0
POT_EXACT_KERNEL=$wide start validator2 miner1
start validator3 miner2
mkdir "$WORK/bad"
cp "$BUILD/potd" "$WORK/bad/potd"
cp "$BUILD/tests/e2e/bad_worker" "$WORK/bad/pot-worker"
POTD=$WORK/bad/potd POT_BAD_REAL=$BUILD/pot-worker POT_BAD_MODE=speck \
    start miner3
await_ready $names
task=$(submit validator0 "$(make_task exact 20 'numerics="exact"' \
    audit_rate=1.0)")
await 60 "the task ended" has_ended validator0 "$task"
task_of validator0 "$task" >"$WORK/task.json"
holds '.status == "completed" and .round == .rounds and .submissions >= 20 and
    .numerics == "exact"' \
    "$WORK/task.json" || fail "$(cat "$WORK/task.json")"

refused_of() { # name: submissions of it that some validator refused
    cat "$NET"/validator*/potd.log | grep -c "submission refused.*miner=$(
        potctl key show "$NET/$1/key" --json | jq -r .address)" || true
}

for honest in miner0 miner1 miner2; do
    [ "$(refused_of $honest)" = 0 ] || fail "$honest was refused"
done
[ "$(refused_of miner3)" -gt 0 ] || fail "the cheat was not refused"
ctl validator0 rewards --task "$task" --unpaid --json --miner "$(
    potctl key show "$NET/miner3/key" --json | jq -r .address)" |
    holds -s 'map(select(.why | test("^refused"))) | length > 0' ||
    fail "the cheat's unpaid rounds are not explained"
holds '.rejected >= 1' "$WORK/task.json" ||
    fail "rejected on the chain: $(jq .rejected "$WORK/task.json")"
same_chain validator0 validator1 validator2 validator3 miner0
no_bugs
echo "$(jq .submissions "$WORK/task.json") counted," \
    "$(jq .rejected "$WORK/task.json") refused"
