#!/bin/sh
# What a miner claims beside its gradient: an OpenBLAS core that no validator
# can run, or that there is none of, to excuse sums that are a little off; a
# loss that it did not have.  Nothing of it pays, and audits go on.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 4 7
start validator0 validator1 validator2 validator3 miner0
await_ready validator0 validator1 validator2 validator3 miner0
task=$(submit validator0 "$(make_task claims 5000 audit_rate=1.0 \
    'numerics="blas"')")
await 30 "the first rounds" round_reaches validator0 "$task" 2
start_bad drift miner1
POT_BAD_CORE=Nonsense start_bad drift miner2
POT_BAD_CORE=Bulldozer start_bad drift miner3
POT_BAD_CORE='Nehalem"x y=1' start_bad drift miner4
start_bad loss miner5
start_bad boast miner6
# Each has had its say several times; then it is enough.
has_submitted() {
    get "$1" /metrics |
        awk '$1 == "pot_miner_submitted_total" && $2 >= 3 { found = 1 }
             END { exit !found }'
}
for each in miner1 miner2 miner3 miner4 miner5 miner6; do
    await 60 "$each has submitted" has_submitted "$each"
done
ctl validator0 cancel-task "$task" --wait --json >/dev/null
task_of validator0 "$task" >"$WORK/task.json"
ctl validator0 rewards --task "$task" --json >"$WORK/rewards"
for each in miner1 miner2 miner3 miner4 miner5 miner6; do
    paid=$(jq -s --arg to "$(address_of "$each")" \
        '[.[] | select(.to == $to)] | length' "$WORK/rewards")
    [ "$paid" -eq 0 ] || fail "$each was paid for $paid rounds"
done
await 20 "somebody is refused" was_refused pot1
same_chain validator0 validator1 validator2 validator3 miner0
stop_cleanly $names
no_bugs
echo "claims were not believed, $(jq .rejected "$WORK/task.json") refused"
