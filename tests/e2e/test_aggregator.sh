#!/bin/sh
# Miners that reach an aggregator and nobody else: data that one of them publishes
# gets to the validators, every submission of theirs is counted, each payload was
# sent once, their sums are opened by some validators and taken by the others, and
# the rounds come to what a replay makes of the miners' gradients.  A round that is
# open while two of the four validators restart is not lost either.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 4 2 1
start $names
await_ready $names
get aggregator0 /v1/status | holds '.roles == ["aggregator"]' ||
    fail "an aggregator does not say what it is"
ctl miner0 status | grep '^validators  *4, by way of other nodes$' ||
    fail "potctl status: $(ctl miner0 status)"
task=$(submit miner0 "$(make_task gathered 15 min_submissions=2 \
    'numerics="exact"')")
await 60 "the task ended" has_ended validator0 "$task"
await_end_of "$task" $names
task_of validator0 "$task" >"$WORK/task.json"
holds '.status == "completed" and .submissions == 2 * .rounds and
    .rejected == 0' "$WORK/task.json" ||
    fail "$(cat "$WORK/task.json")"
ctl validator0 replay "$task" --json >"$WORK/replay.json" ||
    fail "replay: $(cat "$WORK/replay.json")"
holds --slurpfile task "$WORK/task.json" '.identical and
    .gradients == $task[0].submissions and
    .parameters_hash == $task[0].parameters_hash' "$WORK/replay.json" ||
    fail "$(cat "$WORK/replay.json")"

[ "$(metric aggregator0 pot_aggregator_passed_on_total)" = 30 ] ||
    fail "passed on: $(metric aggregator0 pot_aggregator_passed_on_total)"
of_all() { # metric: over the validators
    for each in validator0 validator1 validator2 validator3; do
        metric "$each" "$1"
    done | awk '{ sum += $1 } END { print sum }'
}
[ "$(metric aggregator0 pot_aggregator_groups_total)" -gt 0 ] ||
    fail "nothing was summed up"
taken=$(of_all pot_groups_taken_total)
[ "$taken" -gt 0 ] || fail "no sum was taken"
[ "$(of_all pot_groups_spared_total)" = $((2 * taken)) ] ||
    fail "spared: $(of_all pot_groups_spared_total) by $taken sums"
[ "$(of_all pot_groups_opened_total)" -ge "$taken" ] ||
    fail "$taken sums were taken, and fewer opened"
[ "$(of_all pot_groups_wrong_total)" = 0 ] || fail "an honest sum was wrong"

jobs_of() { metric "$1" pot_worker_jobs_total; }
has_computed() { # miner jobs
    [ "$(jobs_of "$1")" -ge "$2" ]
}
before0=$(jobs_of miner0)
before1=$(jobs_of miner1)
kept=$(submit miner0 "$(make_task kept 12 min_submissions=2 \
    'numerics="exact"')")
await 60 "a round was closed" round_reaches validator0 "$kept" 1
kill -STOP "$(cat "$NET/miner1/pid")" # so that no round closes now
kill_hard validator2 validator3
kill -CONT "$(cat "$NET/miner1/pid")"
round=$(round_of validator0 "$kept")
await 30 "the miners have committed" \
    has_computed miner0 $((before0 + round + 1))
await 30 "the miners have committed" \
    has_computed miner1 $((before1 + round + 1))
start validator2 validator3
await 90 "the task ended" has_ended validator0 "$kept"
task_of validator0 "$kept" >"$WORK/kept.json"
holds '.status == "completed" and .submissions == 2 * .rounds' \
    "$WORK/kept.json" || fail "$(cat "$WORK/kept.json")"
await_end_of "$kept" $names
# Who does not reach all validators says so: those that hear it tell the one that
# does not, and without whom no quorum counts a miner.
kill_hard aggregator0 validator2 validator3
heard=
for each in validator0 validator1; do
    heard=$heard,$(address_of $each)@127.0.0.1:$(($(port_of $each) - 1))
done
POTD_P2P_PEERS=${heard#,} start aggregator0 validator3
await_ready aggregator0 validator3
apart=$(submit validator0 "$(make_task apart 10 min_submissions=2 \
    'numerics="exact"')")
await 60 "the task ended" has_ended validator0 "$apart"
task_of validator0 "$apart" >"$WORK/apart.json"
holds '.status == "completed" and .submissions == 2 * .rounds' \
    "$WORK/apart.json" || fail "$(cat "$WORK/apart.json")"
same_chain validator0 validator1 validator3 miner0 aggregator0
no_bugs
echo "$(jq .submissions "$WORK/task.json") counted by way of an aggregator," \
    "$taken sums taken; round $round outlived a restart"
