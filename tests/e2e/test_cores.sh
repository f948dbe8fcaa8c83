#!/bin/sh
# Miners with different OpenBLAS kernels and numbers of workers train
# together, every submission audited, and none is refused.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 4 4
set_key miner0 miner blas_core '"Nehalem"'
set_key miner1 miner blas_core '"Haswell"'
set_key miner1 miner workers 3
set_key miner2 miner blas_core '"Prescott"'
set_key miner2 miner workers 2
OPENBLAS_CORETYPE=Nehalem # inherited, and to be overruled
export OPENBLAS_CORETYPE
start $names
unset OPENBLAS_CORETYPE
await_ready $names
grep -q 'inherited OPENBLAS_CORETYPE does not decide' "$NET/miner3/potd.log" ||
    fail "the inherited core is not told in the log"
task=$(submit validator0 "$(make_task cores 40 audit_rate=1.0)")
await 120 "the task ended" has_ended validator0 "$task"
task_of validator0 "$task" >"$WORK/task.json"
# How many are counted is a matter of time; that none is refused is not.
jq -e '.status == "completed" and .rejected == 0 and .submissions >= 80' \
    "$WORK/task.json" >/dev/null || fail "$(cat "$WORK/task.json")"
ctl validator0 block latest --json >/dev/null
same_chain $names
no_bugs
echo "no refused submission among $(jq .submissions "$WORK/task.json")"
