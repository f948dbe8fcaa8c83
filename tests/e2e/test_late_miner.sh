#!/bin/sh
# A miner that comes late and gets its stake later still: as long as it catches
# up it does not know what it holds, and says nothing about that.  Then it joins.
# When its worker hangs it misses a round, and does not join for others until the
# worker is back.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 1 2
potctl key new "$WORK/key" >/dev/null 2>&1
newcomer=$(potctl key show "$WORK/key" --json | jq -r .address)
start validator0 miner0
await_ready validator0 miner0
task=$(submit validator0 "$(make_task late 100000)")
await 60 "the first rounds" round_reaches validator0 "$task" 20
ctl validator0 transfer --to "$newcomer" --amount 1000 --wait >/dev/null
POTCTL_KEY=$WORK/key ctl validator0 stake --role miner --amount 500 --wait \
    >/dev/null
height=$(height_of validator0)

cp "$WORK/key" "$NET/miner1/key"
start miner1
await 30 "the newcomer has caught up" reaches miner1 "$height"
has_pay() {
    [ -n "$(ctl validator0 rewards --task "$task" --miner "$newcomer" --json)" ]
}
await 30 "the newcomer is paid" has_pay
! grep 'cannot join task' "$NET/miner1/potd.log" ||
    fail "it spoke of a stake that it had not heard of"

joins() { grep -c 'joining task' "$NET/miner1/potd.log"; }
is_out() { task_of validator0 "$task" | holds '.members == 1'; }
has_joined_again() { [ "$(joins)" -gt "$before" ]; }
worker=$(pgrep -P "$(cat "$NET/miner1/pid")" pot-worker)
kill -STOP "$worker"
await 30 "its round is closed without it" is_out
before=$(joins)
await 60 "other rounds" round_reaches validator0 "$task" \
    $(($(round_of validator0 "$task") + 60))
[ "$(joins)" = "$before" ] || fail "it joins and cannot compute"
[ "$(metric miner1 pot_worker_queued_jobs)" = 0 ] ||
    fail "jobs of closed rounds wait"
kill -CONT "$worker"
await 30 "it joins when its worker is back" has_joined_again

# One that never starts is told of, and joins nothing either.
kill_hard miner1
before=$(joins)
start_bad dated miner1
warns() {
    get miner1 /v1/status |
        holds '.warnings | any(test("workers are lost again and again"))'
}
! get miner0 /v1/status | holds '.warnings | any(test("workers"))' ||
    fail "warned of workers that work"
await 30 "it warns of a worker that never starts" warns
[ "$(joins)" = "$before" ] || fail "it joins without a worker"

# One that starts and dies at every job joins ever more seldom: once before each
# pause, until it works.
kill_hard miner1
before=$(joins)
start_bad crash miner1
pauses() { grep -q "joining no task.*seconds=$1\$" "$NET/miner1/potd.log"; }
await 60 "it pauses" pauses 5
await 60 "and for longer after the next join" pauses 10
[ "$(joins)" -le $((before + 2)) ] ||
    fail "$(($(joins) - before)) joins before two pauses"
await 30 "its round is closed without it" is_out
kill_hard miner1
before=$(joins)
start miner1
await 60 "it joins with workers that work" has_joined_again

# What there is not is said, on stderr.
ctl validator0 rewards --task "$task" --miner "$(ctl validator0 validators \
    --json | jq -r '.validators[0].address')" --unpaid 2>"$WORK/none" \
    >"$WORK/rows"
[ ! -s "$WORK/rows" ] || fail "unpaid rounds of one who mines nothing"
grep -q 'nothing of that miner' "$WORK/none" || fail "$(cat "$WORK/none")"
no_bugs
