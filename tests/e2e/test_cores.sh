#!/bin/sh
# Miners with different OpenBLAS kernels and numbers of workers train
# together, every submission audited, and none is refused.  A kernel that is
# poor for the processor is replaced, unless the config asks for it.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 4 4
set_key miner0 miner blas_core '"Nehalem"'
set_key miner1 miner blas_core '"Haswell"'
set_key miner1 miner workers 3
set_key miner2 miner blas_core '"Prescott"'
set_key miner2 miner workers 2
OPENBLAS_CORETYPE=Nehalem # inherited, and to be overruled
export OPENBLAS_CORETYPE
start validator0 validator1 validator2 validator3 miner0 miner1 miner2
# As if OpenBLAS knew nothing better for this processor.
mkdir "$WORK/poor"
cp "$BUILD/potd" "$WORK/poor/potd"
cat >"$WORK/poor/pot-worker" <<END
#!/bin/sh
OPENBLAS_CORETYPE=Prescott exec "$BUILD/pot-worker" --doubt-core
END
chmod +x "$WORK/poor/pot-worker"
POTD=$WORK/poor/potd start miner3
unset OPENBLAS_CORETYPE
await_ready $names
grep -q 'inherited OPENBLAS_CORETYPE does not decide' "$NET/miner3/potd.log" ||
    fail "the inherited core is not told in the log"
runs_core() { # name core: the kernel that its workers say they run
    grep -q "OpenBLAS core.*core=$2 " "$NET/$1/potd.log"
}
await 20 "miner0 runs Nehalem" runs_core miner0 Nehalem
await 20 "miner1 runs Haswell" runs_core miner1 Haswell
await 20 "miner3 tells its core" runs_core miner3 '[A-Za-z]*'
# Several times as fast with these instructions; without them it is the best.
if grep -qw avx2 /proc/cpuinfo; then
    runs_core miner3 Prescott && fail "the poor kernel was kept"
    grep -q 'OpenBLAS chose its kernel Prescott.* is used instead' \
        "$NET/miner3/potd.log" || fail "the change is not told"
fi
task=$(submit validator0 "$(make_task cores 40 audit_rate=1.0 \
    'numerics="blas"')")
await 120 "the task ended" has_ended validator0 "$task"
task_of validator0 "$task" >"$WORK/task.json"
# How many are counted is a matter of time; that none is refused is not.
holds '.status == "completed" and .rejected == 0 and .submissions >= 80' \
    "$WORK/task.json" || fail "$(cat "$WORK/task.json")"
ctl validator0 block latest --json >/dev/null
same_chain $names
no_bugs
echo "no refused submission among $(jq .submissions "$WORK/task.json")"
