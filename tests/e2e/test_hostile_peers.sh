#!/bin/sh
# Strangers who shake hands properly and then send junk, forged votes, claims
# of heights beyond belief, garbage for blobs, floods; and sockets that are no
# peers at all.  The network goes on committing and training all the while,
# and no node's memory runs away.
. "${srcdir:-.}/tests/e2e/lib.sh"
rss_max_kb=${POT_RSS_MAX_KB:-400000}
init_net 4 2
start $names
await_ready $names
chain=$(jq -r .chain_id "$NET/genesis.json")
task=$(submit validator0 "$(make_task hostile 5000)")
await 30 "the first rounds" round_reaches validator0 "$task" 3

rss_of() { awk '/^VmRSS/ { print $2 }' "/proc/$(cat "$NET/$1/pid")/status"; }

first=$BASE_PORT # validator0's
for mode in raw junk votes rounds spam status oversize flood halfopen; do
    before=$(round_of validator1 "$task")
    attacks=
    for port in "$first" $((first + 2)) $((first + 8)); do
        "$BUILD/tests/byz/stranger" "$chain" "$task" $mode "$port" \
            >>"$WORK/$mode" 2>&1 &
        attacks="$attacks $!"
    done
    await 20 "rounds under $mode" round_reaches validator1 "$task" \
        $((before + 3))
    for attack in $attacks; do
        wait "$attack" || fail "$mode: $(cat "$WORK/$mode")"
    done
    after=$(round_of validator0 "$task")
    await 20 "rounds after $mode" round_reaches validator0 "$task" \
        $((after + 2))
    for each in $names; do
        kill -0 "$(cat "$NET/$each/pid")" || fail "$each died of $mode"
        [ "$(rss_of "$each")" -lt "$rss_max_kb" ] ||
            fail "$each holds $(rss_of "$each") KiB after $mode"
    done
    echo "$(tr '\n' ' ' <"$WORK/$mode"); validator0: $(rss_of validator0) KiB"
done

# Those who broke rules were thrown out; nobody of us was.
metrics() { get "$1" /metrics; }
metrics validator0 | grep -E '^pot_(p2p_)?(peer_)?bans' ||
    metrics validator0 | grep -i ban || fail "no count of bans"
ctl validator0 peers >"$WORK/peers"
grep -q 'seconds left' "$WORK/peers" || fail "no bans: $(cat "$WORK/peers")"
[ "$(ctl validator0 peers --json | jq -s 'flatten | length')" -ge 1 ] ||
    fail "validator0 has lost its peers"
for each in $names; do
    await 10 "$each is ready" is_ready "$each"
done
# Honest transactions are still taken.
ctl validator0 cancel-task "$task" --wait --json >/dev/null
same_chain $names
stop_cleanly $names
verify_stores validator0
no_bugs
