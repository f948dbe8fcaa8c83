#!/bin/sh
# An aggregator that hands out gradients with a wrong element is banned by every
# validator, and takes no round with it: the miners' other aggregator is honest.
# What a miner submits that is no gradient gets no further than that one.
. "${srcdir:-.}/tests/e2e/lib.sh"
. "$SOURCE/tests/byz/byz.sh"
init_net 4 2 2
cheat=miner1
honest=aggregator0
liar=aggregator1
has_counted() {
    [ "$(task_of validator0 "$task" | jq .submissions)" -ge "$1" ]
}
has_banned() { grep -q 'sent a blob that is not its hash' "$NET/$1/potd.log"; }

start validator0 validator1 validator2 validator3 miner0
start_byz $liar payload-lies
await_ready validator0 validator1 validator2 validator3 miner0 $liar
task=$(submit validator0 "$(make_task lied 500 min_submissions=1 \
    'numerics="exact"')")
for each_name in validator0 validator1 validator2 validator3; do
    await 20 "$each_name has banned the liar" has_banned $each_name
done
[ "$(task_of validator0 "$task" | jq .submissions)" = 0 ] ||
    fail "a gradient that was changed on its way was counted"

start_byz $cheat payload-deformed
start $honest
await 60 "a submission of the cheat's is kept back" \
    metric_above $honest pot_aggregator_refused_total 0
await 30 "rounds go on" has_counted 8
kill_hard $cheat
kept_back=$(metric $honest pot_aggregator_refused_total)
start_byz $cheat payload-misnamed
await 60 "parameters for a gradient are kept back" \
    metric_above $honest pot_aggregator_refused_total "$kept_back"
ctl validator0 cancel-task "$task" --wait >/dev/null
task_of validator0 "$task" >"$WORK/task.json"
holds '.status == "cancelled" and .rejected == 0' "$WORK/task.json" ||
    fail "$(cat "$WORK/task.json")"
[ "$(metric validator0 pot_verify_total)" -gt 0 ] || fail "nothing was judged"
! grep -h 'submission refused' "$NET"/validator*/potd.log ||
    fail "a validator had to refuse what an aggregator should have"
ctl validator0 replay "$task" --json >"$WORK/replay.json" ||
    fail "replay: $(cat "$WORK/replay.json")"
holds --slurpfile task "$WORK/task.json" '.identical and
    .gradients == $task[0].submissions and
    .parameters_hash == $task[0].parameters_hash' "$WORK/replay.json" ||
    fail "$(cat "$WORK/replay.json")"
same_chain validator0 validator1 validator2 validator3 $honest
no_bugs
echo "$(jq .submissions "$WORK/task.json") counted, none by the liar"
