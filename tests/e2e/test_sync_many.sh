#!/bin/sh
# A node joins late and fetches the chain from several peers at once; in the
# middle of it one of them is killed and one is stopped.
. "${srcdir:-.}/tests/e2e/lib.sh"
HEIGHT=2000
init_net 1 4
sources="miner0 miner1 miner2"
set_key validator0 consensus idle_interval_ms 10
for each in $sources miner3; do set_key "$each" miner enabled false; done
start validator0
await 30 "validator0 makes blocks" reaches validator0 5
await 90 "the chain is long enough" reaches validator0 $HEIGHT
stop_cleanly validator0
# The sources have what they would have if they had followed all the time.
for each in $sources; do
    mkdir "$NET/$each/store"
    cp "$NET/validator0/store/data.mdb" "$NET/$each/store/"
done
start $sources
for each in $sources; do
    await 30 "$each is up" reaches "$each" $HEIGHT
done
begins_and_is_left() { # by two of three, in the middle
    start miner3
    await 30 "it has begun" reaches miner3 50
    kill_hard miner0
    kill -STOP "$(cat "$NET/miner1/pid")"
    stood=$(height_of miner3)
    [ "$stood" -lt $HEIGHT ] || return 1
    await 60 "it has all of the chain" reaches miner3 $HEIGHT
    timeouts=$(metric miner3 pot_sync_timeouts_total)
    [ "$timeouts" -ge 1 ]
}
tries=1
until begins_and_is_left; do # it had all, or was sent it, before they went
    [ $((tries += 1)) -le 8 ] || fail "no question to the stopped one ran out"
    kill -CONT "$(cat "$NET/miner1/pid")"
    kill_hard miner3
    rm -rf "$NET/miner3/store"
    start miner0
    await 30 "miner0 is up" reaches miner0 $HEIGHT
done
[ "$(metric miner3 pot_p2p_bans_total)" -eq 0 ] || fail "an honest peer is banned"
# What was not known yet was not told as 0.
grep -q 'catching up block=' "$NET/miner3/potd.log" || fail "it told nothing"
! grep 'catching up.* \(eta_s\|peers\)=0' "$NET/miner3/potd.log" ||
    fail "0 of what is not known"
kill -CONT "$(cat "$NET/miner1/pid")"
start validator0 miner0
await 60 "the chain goes on" reaches miner3 $((HEIGHT + 20))
set -- validator0 miner0 miner1 miner2 miner3
for each in "$@"; do
    await 30 "$each is there too" reaches "$each" $((HEIGHT + 20))
done
same_chain "$@"
stop_cleanly "$@"
verify_stores miner3
no_bugs
echo "at $stood of $HEIGHT one was killed and one stopped;" \
    "$timeouts questions ran out"
