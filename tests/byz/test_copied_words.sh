#!/bin/sh
# A validator computes nothing: it waits for what another one says and says the
# same, of plants too.  Three honest validators, one of them slow, pledge before
# they speak: its words come late, are not needed, and it is not paid.  Then one
# pledges and shows nothing: the slow one's words are late, and no miner loses.
. "${srcdir:-.}/tests/e2e/lib.sh"
. "$SOURCE/tests/byz/byz.sh"
rounds=12
init_quick_net 4 3
jq '.params.epoch_blocks = 100000' "$NET/genesis.json" >"$WORK/genesis.json"
cp "$WORK/genesis.json" "$NET/genesis.json"
rm "$WORK/bin/pot-worker"
cp "$BUILD/tests/e2e/bad_worker" "$WORK/bin/pot-worker"
export POT_BAD_REAL="$BUILD/pot-worker" POT_BAD_FILE="$WORK/never"
start validator0 validator1 miner0 miner1 miner2
start_bad slow validator2
POT_BAD_MODE=held start_byz validator3 words-copied
await_ready $names
make_task copied $rounds audit_rate=1.0 min_submissions=2 >/dev/null
sed -i 's/^audit_rate.*/&\nplant_rate = 0.1/
    s/^numerics.*/&\nround_timeout_ms = 5000/' "$WORK/copied.toml"
task=$(submit validator0 "$WORK/copied.toml")
await 60 "the task ended" has_ended validator0 "$task"

paid() { # name -> in how many rounds
    ctl validator0 rewards --miner "$(address_of "$1")" --task "$task" --json |
        jq -s 'map(select(.for == "attesting")) | length'
}
copier=$(paid validator3)
slow=$(paid validator2)
echo "of $rounds rounds the copier was paid for $copier, the slow one for $slow"
# A process that is not let run for 300 ms is missed once.
[ "$copier" -le $((rounds / 5)) ] || fail "the copier was paid"
[ "$slow" -ge $((rounds - rounds / 5)) ] || fail "the slow one was not paid"
# What is honest was counted, and each plant refused; too many plants leave a
# round empty.
task_of validator0 "$task" >"$WORK/task.json"
jq -e --argjson most $((2 * rounds)) '.status == "completed" and
    .submissions + .rejected >= $most' "$WORK/task.json" >/dev/null ||
    fail "$(cat "$WORK/task.json")"

kill_hard validator3
POT_BAD_MODE=honest start_byz validator3 words-withheld
await_ready validator3
make_task withheld 6 audit_rate=1.0 min_submissions=3 >/dev/null
sed -i 's/^numerics.*/&\nround_timeout_ms = 60000/' "$WORK/withheld.toml"
task=$(submit validator0 "$WORK/withheld.toml")
await 60 "the task ended" has_ended validator0 "$task"
task_of validator0 "$task" >"$WORK/task.json"
jq -e '.status == "completed" and .submissions == 18' "$WORK/task.json" \
    >/dev/null || fail "$(cat "$WORK/task.json")"
slow=$(paid validator2)
silent=$(paid validator3)
echo "of 6 rounds the silent one was paid for $silent, the slow one for $slow"
[ "$silent" -eq 0 ] && [ "$slow" -eq 6 ] || fail "the wrong one was paid"
no_bugs
