#!/bin/sh
# The validator set follows the stakes at epochs: a fifth one stakes, comes in
# and signs; another withdraws, leaves, and its stake is bound for a while;
# kill -9 meanwhile, of the one who comes, of the one who goes, and of
# everyone at an epoch's end.  A node without any blocks syncs across it all.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 4 1
for each in $names; do
    set_key "$each" consensus idle_interval_ms 200
    set_key "$each" consensus propose_timeout_ms 800
done
set_key miner0 validator enabled true
set_key miner0 validator key '"key"'
set_key miner0 miner enabled false
jq '.params.epoch_blocks = 10 | .params.evidence_blocks_max = 30 |
    .params.unbonding_blocks = 30' "$NET/genesis.json" >"$WORK/genesis.json"
cp "$WORK/genesis.json" "$NET/genesis.json"

new=$(address_of miner0)
old=$(address_of validator1)
members() { ctl "$1" validators --json | jq -r '.validators[].address'; }
is_in() { members "$1" | grep -q "$2"; }
is_out() { ! is_in "$1" "$2"; }
has_signed() { # name address
    [ "$(ctl "$1" validators --json | jq --arg a "$2" '.validators[] |
        select(.address == $a) | .last_signed_height')" -gt 0 ]
}
goes_on() { # name
    at=$(height_of "$1")
    await 40 "$1 goes on" reaches "$1" $((at + 3))
}

start $names
await_ready $names
ctl validator0 transfer --to "$new" --amount 10500 --wait >/dev/null
POTCTL_KEY=$NET/miner0/key ctl validator0 stake --role validator \
    --amount 10000 --wait 2>"$WORK/told" >/dev/null
grep -q "^note: run a node with this key" "$WORK/told" || fail "stake warns of nothing"
# It is told from when it is in the set, if the epoch has not ended meanwhile.
staked=$(height_of validator0)
await 20 "the fifth sees its stake" reaches miner0 "$staked"
POTCTL_NODE=$(url_of miner0) potctl status >"$WORK/told"
grep -q '^vote .*not elected yet: it has staked, is in the set from height [0-9]*1 ' \
    "$WORK/told" || is_in miner0 "$new" || fail "$(grep '^vote' "$WORK/told")"
kill_hard miner0
await 60 "the set has five" is_in validator0 "$new"
goes_on validator0 # four of five are there, and are enough
start miner0
await 40 "the fifth signs" has_signed validator0 "$new"

POTCTL_KEY=$NET/validator1/key ctl validator0 unstake --role validator \
    --amount 10000 --wait >/dev/null
ctl validator0 balance "$old" | grep -q "unbonding .*10000 POT, free behind" ||
    fail "the stake is not bound"
free=$(ctl validator0 balance "$old" --json | jq '.unbonding[0].height')
kill_hard validator1
await 60 "the set is without it" is_out validator0 "$old"
start validator1
await_ready validator1
goes_on validator1 # it follows

# Everyone dies around an epoch's end, twice.
for time in 1 2; do
    at=$(height_of validator0)
    await 40 "height $((at / 10 * 10 + 10))" reaches validator0 \
        $((at / 10 * 10 + 10))
    kill_hard $names
    start $names
    await_ready $names
    goes_on validator0
done
await 60 "the stake is free" reaches validator0 $((free + 1))
ctl validator0 balance "$old" --json | holds '.unbonding == [] and
    (.balance | tonumber) > 10000000000000 and .stake_validator == "0"' ||
    fail "$(ctl validator0 balance "$old")"

# It comes back, with the record of what it signed when it was here before.
POTCTL_KEY=$NET/validator1/key ctl validator0 stake --role validator \
    --amount 10000 --wait >/dev/null 2>&1
await 60 "it is back" is_in validator0 "$old"
await 40 "and signs" has_signed validator0 "$old"

kill_hard miner0
rm -r "$NET/miner0/store"
start miner0
await 60 "miner0 has synced" reaches miner0 "$(height_of validator0)"
same_chain $names
ctl miner0 verify-chain --genesis "$NET/genesis.json" --json |
    holds .ok || fail "verify-chain"
[ "$(ctl validator0 evidence --json | jq '(.pending + .punished) | length')" \
    -eq 0 ] || fail "somebody is said to have contradicted himself"
stop_cleanly $names
verify_stores $names
no_bugs
echo "one came, one went and came back"
