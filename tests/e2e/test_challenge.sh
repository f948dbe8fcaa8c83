#!/bin/sh
# A miner makes its gradients up.  Few of them are audited, so some are counted;
# the validator that audited one challenges it, the others compute it again,
# and the stake is gone.  Who accuses an honest miner loses the deposit.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 4 2
challenges() { ctl validator0 challenges --json | jq .challenges; }
count() { challenges | jq --arg s "$1" '[.[] | select(.status == $s)] | length'; }
has() { [ "$(count "$1")" -gt 0 ]; }
is_settled() { [ "$(count open)" = 0 ] && has "$1"; }

start validator0 validator1 validator2 validator3 miner0
start_bad noise miner1
await_ready $names
task=$(submit validator0 "$(make_task challenge 60 audit_rate=0.58 \
    'numerics="exact"')")
await 60 "a false gradient was found out" has upheld
await 60 "the task ended" has_ended validator0 "$task"
await 30 "whatever was challenged is settled" is_settled upheld

# The cheat's whole stake is gone, and it has left the task; a tenth of it is
# the challenger's.
miners() { ctl validator0 miners --json | jq .miners; }
miners | holds --arg m "$(address_of miner1)" \
    '[.[] | select(.address == $m)] | length == 0' ||
    fail "the cheat still has a stake: $(miners)"
miners | holds --arg m "$(address_of miner0)" \
    '.[] | select(.address == $m) | (.slashed | tonumber) == 0' ||
    fail "the honest miner was slashed: $(miners)"
challenges | holds --arg m "$(address_of miner1)" \
    '[.[] | select(.status == "upheld" and .miner == $m and
        (.slashed | tonumber) == 1e12 and (.rewarded | tonumber) == 1e11)] |
        length == 1' || fail "$(challenges)"

# It is told where one looks for it: with the miners, and with the task.
for each in "miners" "task $task"; do
    # shellcheck disable=SC2086
    ctl validator0 $each --json >"$WORK/told"
    holds --arg m "$(address_of miner1)" --arg t "$task" \
        '.slashed | length == 1 and .[0].miner == $m and .[0].task == $t and
            .[0].amount == "1000000000000" and .[0].height > 0' \
        "$WORK/told" || fail "$each: $(cat "$WORK/told")"
done
ctl validator0 miners | grep "^$(address_of miner1) .* false gradient" ||
    fail "potctl miners: $(ctl validator0 miners)"
ctl validator0 task "$task" | grep "^slashed  *1000 POT of $(address_of miner1)" ||
    fail "potctl task: $(ctl validator0 task "$task")"

# The last round's honest gradient, accused by a validator.
last=$(($(task_of validator0 "$task" | jq .round) - 1))
POTCTL_KEY=$NET/validator3/key ctl validator0 challenge "$task" "$last" \
    "$(address_of miner0)" --wait --json >"$WORK/accusation"
holds '.status == "rejected" and .height > 0' "$WORK/accusation" ||
    fail "the accusation: $(cat "$WORK/accusation")"

# Pages of one, and those of a task.
get validator0 '/v1/challenges?limit=1000' >"$WORK/whole"
next=
: >"$WORK/pages"
while [ "$next" != null ]; do
    get validator0 "/v1/challenges?limit=1${next:+&from=$next}" >"$WORK/page"
    jq -c '.challenges[]' "$WORK/page" >>"$WORK/pages"
    next=$(jq .next "$WORK/page")
done
[ "$(wc -l <"$WORK/pages")" -ge 2 ] && [ "$(jq -c '.challenges[]' \
    "$WORK/whole")" = "$(cat "$WORK/pages")" ] ||
    fail "the pages differ from the whole: $(cat "$WORK/whole" "$WORK/pages")"
ctl validator0 challenges --task "$task" --json | jq .challenges >"$WORK/some"
jq .challenges "$WORK/whole" | cmp -s - "$WORK/some" ||
    fail "those of the task: $(cat "$WORK/some")"
! ctl validator0 challenges --task "$(printf '%064d' 0)" --json \
    >"$WORK/none" 2>"$WORK/message" || fail "those of no task"
[ ! -s "$WORK/none" ] && grep -q 'there is no such task' "$WORK/message" ||
    fail "the message: $(cat "$WORK/message")"
ctl validator0 challenges | grep 'rejected .* the deposit is lost$' ||
    fail "potctl challenges: $(ctl validator0 challenges)"

# All validators sent that it is settled, and one was taken: the others' are no
# use any more, and none is to keep a later one of its sender's waiting.  No task
# runs, so few blocks come in which they could expire.
is_empty() { [ "$(metric "$1" pot_mempool_size)" = 0 ]; }
for each in $names; do
    await 10 "no transaction waits at $each" is_empty "$each"
done
! ctl validator0 challenge "$task" 60 "$(address_of miner0)" \
    2>"$WORK/message" || fail "a round that there is not was challenged"
grep -q 'round 60 is not closed: the task has closed 60' "$WORK/message" ||
    fail "the message: $(cat "$WORK/message")"
! ctl validator0 challenge "$task" "$last" "$(address_of validator0)" \
    2>"$WORK/message" || fail "nothing was challenged"
grep -q "round $last counts . submissions* and none of pot1" "$WORK/message" ||
    fail "the message: $(cat "$WORK/message")"
# Of a deposit that is not taken nothing is said.
! ctl validator0 challenge "$task" "$last" "$(address_of miner0)" \
    2>"$WORK/message" || fail "challenged without a stake, and twice"
[ "$(wc -l <"$WORK/message")" = 1 ] ||
    fail "the message: $(cat "$WORK/message")"
ctl validator0 rewards --task "$task" --json >"$WORK/rewards"
for reason in slash challenge deposit-lost refereeing; do
    holds -s --arg r "$reason" 'map(select(.for == $r)) | length > 0' \
        "$WORK/rewards" || fail "no record of $reason"
done
same_chain $names
stop_cleanly $names
verify_stores validator0
no_bugs
echo "upheld: $(grep -c 'verdict=false' "$NET/validator0/potd.log") replays at" \
    "validator0"
