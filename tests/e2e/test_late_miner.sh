#!/bin/sh
# A miner that comes late and gets its stake later still: as long as it catches
# up it does not know what it holds, and says nothing about that.  Then it joins.
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

# What there is not is said, on stderr.
ctl validator0 rewards --task "$task" --miner "$(ctl validator0 validators \
    --json | jq -r '.validators[0].address')" --unpaid 2>"$WORK/none" \
    >"$WORK/rows"
[ ! -s "$WORK/rows" ] || fail "unpaid rounds of one who mines nothing"
grep -q 'nothing of that miner' "$WORK/none" || fail "$(cat "$WORK/none")"
no_bugs
