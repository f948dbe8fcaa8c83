#!/bin/sh
# Every message with every fault that its descriptor allows, bodies under the
# types of others, and bombs, to three validators at once: they go on
# committing, ban who sent them, and none holds more memory than it may.
. "${srcdir:-.}/tests/e2e/lib.sh"
. "${srcdir:-.}/tests/byz/byz.sh"
rss_max_kb=${POT_RSS_MAX_KB:-600000}
export POTD_P2P_BAN_SECONDS=1 # configured peers: a twentieth of it

init_quick_net 4 0
chain=$(jq -r .chain_id "$NET/genesis.json")
honest="validator0 validator1 validator2"
start $honest
await 30 "the first blocks" reaches validator0 2

attacks=
for each in $honest; do
    "$BUILD/tests/byz/misfit" "$chain" "$NET/validator3/key" \
        $(($(port_of "$each") - 1)) >"$WORK/misfit.$each" 2>&1 &
    attacks="$attacks $!"
done
peak=0
watch_rss() {
    for each in $honest; do
        rss=$(rss_of "$each")
        [ "$rss" -le "$peak" ] || peak=$rss
    done
}
is_over() { watch_rss && ! kill -0 "$1" 2>/dev/null; }
for attack in $attacks; do
    await 120 "the attack is over" is_over "$attack"
    wait "$attack" || fail "$(cat "$WORK"/misfit.*)"
done
cat "$WORK"/misfit.*
echo "at most $peak KiB"
[ "$peak" -lt "$rss_max_kb" ] || fail "a node held $peak KiB"
height=$(height_of validator0)
for each in $honest; do
    await 20 "blocks at $each" reaches "$each" $((height + 3))
    await 20 "$each has banned" metric_above "$each" pot_p2p_bans_total 50
done
same_chain $honest
stop_cleanly $honest
no_bugs
