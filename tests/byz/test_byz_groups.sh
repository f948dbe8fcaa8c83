#!/bin/sh
# An aggregator that signs sums of groups that are not their sums is found out by
# each validator that opens one, and banned; one that signs another root is, too.
# No payload's place is taken by such a sum, and no round is lost.  An honest
# aggregator's sums are taken meanwhile; a validator that calls all of them wrong,
# or says nothing of any, costs what they would have saved, and nothing else.
. "${srcdir:-.}/tests/e2e/lib.sh"
. "$SOURCE/tests/byz/byz.sh"
init_net 4 2 2
validators='validator0 validator1 validator2 validator3'
liar=aggregator1
of_all() { # metric: over the validators
    sum=0
    for each_name in $validators; do
        sum=$((sum + $(metric "$each_name" "$1")))
    done
    echo "$sum"
}
has_counted() {
    [ "$(task_of validator0 "$task" | jq .submissions)" -ge "$1" ]
}
all_above() { [ "$(of_all "$1")" -gt "$2" ]; }
has_banned() { grep -q 'sent the sum of a group that' "$NET/$1/potd.log"; }

start $validators miner0 miner1
start_byz $liar group-sum-lies
await_ready $validators miner0 miner1 $liar
task=$(submit validator0 "$(make_task grouped 500 min_submissions=2 \
    'numerics="exact"')")
await 20 "somebody has found a wrong sum" all_above pot_groups_wrong_total 0
for each_name in $validators; do
    await 30 "$each_name has banned the liar" has_banned $each_name
done
[ "$(of_all pot_groups_taken_total)" = 0 ] ||
    fail "a wrong sum was taken for the payloads"
kill_hard $liar

start aggregator0
await 30 "rounds go on" has_counted 8
await 30 "an honest sum is taken" all_above pot_groups_taken_total 0

kill_hard validator3
start_byz validator3 group-words-lie
await_ready validator3
counted=$(task_of validator0 "$task" | jq .submissions)
await 30 "rounds go on with a validator that calls groups wrong" \
    has_counted $((counted + 12))

kill_hard validator3
start_byz validator3 group-words-silent
await_ready validator3
counted=$(task_of validator0 "$task" | jq .submissions)
await 30 "rounds go on with a validator that says nothing of groups" \
    has_counted $((counted + 12))
ctl validator0 cancel-task "$task" --wait >/dev/null
task_of validator0 "$task" >"$WORK/task.json"
jq -e '.status == "cancelled" and .rejected == 0' "$WORK/task.json" \
    >/dev/null || fail "$(cat "$WORK/task.json")"
ctl validator0 replay "$task" --json >"$WORK/replay.json" ||
    fail "replay: $(cat "$WORK/replay.json")"
jq -e --slurpfile task "$WORK/task.json" '.identical and
    .parameters_hash == $task[0].parameters_hash' "$WORK/replay.json" \
    >/dev/null || fail "$(cat "$WORK/replay.json")"
same_chain validator0 validator1 validator2 aggregator0
no_bugs
echo "$(of_all pot_groups_taken_total) sums taken, none of the liar's"
