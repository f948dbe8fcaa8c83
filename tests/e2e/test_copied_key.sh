#!/bin/sh
# Five validators, one of them never there: the chain needs each of the other
# four.  A copy of one of their homes is refused, young or old, with a store or
# without, and the one that was there goes on.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 5 0
for each in $names; do
    set_key "$each" consensus idle_interval_ms 200
done
running="validator0 validator1 validator2 validator3"
start $running
await_ready $running
await 20 "the first blocks" reaches validator0 3
stop_cleanly validator1
copy_home validator1
mv "$WORK/copies" "$WORK/older"
start validator1
await_ready validator1

goes_on() {
    goes_at=$(height_of validator0)
    await 30 "the original votes" reaches validator0 $((goes_at + 3))
    kill -0 "$(cat "$NET/validator1/pid")" || fail "the original stopped"
    for each in $running; do
        get "$each" /metrics >"$WORK/metrics"
        grep -q '^pot_consensus_evidence_total 0$' "$WORK/metrics" ||
            fail "$each saw a key sign twice"
    done
}

goes_on
copy_home validator1
rm -r "$WORK/copies/validator1/store"
copy_is_refused validator1
goes_on
rm -r "$WORK/copies"
mv "$WORK/older" "$WORK/copies"
copy_is_refused validator1
goes_on

# Those who refused it say so and count it: as many as it takes to stop it.
told=0
for each in validator0 validator2 validator3; do
    if get "$each" /metrics | grep 'reason="elsewhere"' | grep -vq ' 0$'; then
        told=$((told + 1))
        grep -q "two nodes use one key" "$NET/$each/potd.log" ||
            fail "$each did not warn"
    fi
done
[ "$told" -ge 2 ] || fail "$told counted a second node"

# A paused original is as good as none, and a home that was moved takes its
# place; when it wakes up it is the one that is refused.
kill -STOP "$(cat "$NET/validator1/pid")"
copy_home validator1
rm -r "$WORK/copies/validator1/store"
moved=$((BASE_PORT + 40))
POTD_P2P_LISTEN=127.0.0.1:$moved POTD_API_LISTEN=127.0.0.1:$((moved + 1)) \
    potd --config "$WORK/copies/validator1/node.toml" \
    >"$WORK/copies/log" 2>&1 &
new=$!
paused=$(height_of validator0)
await 30 "the moved home votes" reaches validator0 $((paused + 3))
kill -CONT "$(cat "$NET/validator1/pid")"
status=0
wait "$(cat "$NET/validator1/pid")" || status=$?
[ "$status" -eq 9 ] || fail "the one that slept ended with $status"
goes_on_at=$(height_of validator0)
await 30 "the moved home goes on" reaches validator0 $((goes_on_at + 3))
kill -TERM "$new"
wait "$new" || fail "the moved home: exit status $?"
if grep -h "contradicted itself" "$NET"/*/potd.log "$WORK/copies/log"; then
    fail "a key signed twice"
fi
same_chain validator0 validator2 validator3
stop_cleanly validator0 validator2 validator3
no_bugs
