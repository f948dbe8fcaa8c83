#!/bin/sh
# The exact lane: miners with other kernels and numbers of workers than their
# validators, every submission audited, and none is refused; but that of a
# cheat that stays within what the other lane allows.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 4 4
wide=scalar
grep -qw avx2 /proc/cpuinfo && wide=avx2
[ "$(uname -m)" != x86_64 ] || set_key miner0 miner blas_core '"Nehalem"'
set_key miner1 miner workers 3
POT_EXACT_KERNEL=scalar start validator0 validator1 miner0
POT_EXACT_KERNEL=$wide start validator2 miner1
start validator3 miner2
start_bad speck miner3
await_ready $names
task=$(submit validator0 "$(make_task exact 20 'numerics="exact"' \
    audit_rate=1.0)")
# A worker that begins anew with another core has another name for a moment.
is_auditing() {
    auditor=$(pgrep -P "$(cat "$NET/validator3/pid")" pot-worker)
}
await 60 "validator3 audits" is_auditing
kill -9 "$auditor"
await 60 "the task ended" has_ended validator0 "$task"
# A validator's workers are the node's too, with or without a miner.
[ "$(metric validator0 pot_worker_jobs_total)" -gt 0 ] || fail "no jobs counted"
[ "$(metric validator0 pot_worker_running)" = 1 ] || fail "no worker counted"
has_restarted() { [ "$(metric validator3 pot_worker_restarts_total)" = 1 ]; }
await 10 "a worker that audits is counted when it is lost" has_restarted
get validator0 /metrics | grep -q '^pot_build_info{.*blas_core="..*"} 1' ||
    fail "no core in pot_build_info"
get validator0 /v1/status | holds '.worker_core != null' ||
    fail "no core in the status"
task_of validator0 "$task" >"$WORK/task.json"
holds '.status == "completed" and .round == .rounds and .submissions >= 20 and
    .numerics == "exact"' \
    "$WORK/task.json" || fail "$(cat "$WORK/task.json")"

for honest in miner0 miner1 miner2; do
    ! was_refused "$(address_of $honest)" || fail "$honest was refused"
done
await 20 "the cheat is refused" was_refused "$(address_of miner3)"
ctl validator0 rewards --task "$task" --unpaid --json \
    --miner "$(address_of miner3)" |
    holds -s 'map(select(.why | test("^refused"))) | length > 0' ||
    fail "the cheat's unpaid rounds are not explained"
holds '.rejected >= 1' "$WORK/task.json" ||
    fail "rejected on the chain: $(jq .rejected "$WORK/task.json")"
! ctl validator0 unstake --role miner --amount 1000 --key "$NET/miner0/key" \
    >"$WORK/unstake" 2>&1 || fail "it can be challenged, and its stake is free"
grep -q 'still; it is bound up to block [0-9]* and 20[0-9-]*T' "$WORK/unstake" ||
    fail "not said until when: $(cat "$WORK/unstake")"
ctl validator0 balance "$(address_of miner0)" >"$WORK/balance"
grep -q '^  bound  *up to block [0-9]* and 20' "$WORK/balance" ||
    fail "$(cat "$WORK/balance")"
same_chain validator0 validator1 validator2 validator3 miner0
no_bugs
echo "$(jq .submissions "$WORK/task.json") counted," \
    "$(jq .rejected "$WORK/task.json") refused"
