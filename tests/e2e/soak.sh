#!/bin/sh
# soak.sh [SECONDS [SEED]]: four validators and two miners, each in a network
# namespace, under load, while nodes are killed, frozen and cut off at random.
# In the end: one chain, the same state roots, every transfer that was
# reported as committed in it once, the supply as it was, memory flat.
#
# POTD names the program, a sanitizer build for instance.  At most one
# validator is away at a time, but for kills of everyone and halves.
SOAK_SECONDS=${1:-600}
SOAK_SEED=${2:-$(date +%s)}
. "${srcdir:-.}/tests/e2e/lib.sh"
. "${srcdir:-.}/tests/e2e/netns.sh"
echo "soak: $SOAK_SECONDS s, seed $SOAK_SEED"
init_net 4 2
ns_open
for each in $names; do
    set_key "$each" consensus propose_timeout_ms 1000
done
start $names
await_ready $names

# Payers: keys of their own, each with a node that it asks.
target=$(jq -r '.accounts[0].address' "$NET/genesis.json")
payers="0 1 2 3"
for each in $payers; do
    potctl key new "$NET/payer$each.key" >/dev/null
    ctl validator0 transfer --amount 1000 --wait --json --to \
        "$(potctl key show "$NET/payer$each.key" --json | jq -r .address)" \
        >/dev/null
done

# A transfer counts as promised once the node said in which block it is.
pay_on() { # payer
    trap - EXIT
    while [ -e "$WORK/paying" ]; do
        POTCTL_KEY=$NET/payer$1.key ctl "validator$1" transfer --to "$target" \
            --amount 0.000001 --wait --timeout 10s --json \
            2>/dev/null >>"$WORK/acked.$1" || sleep 0.2
    done
}
: >"$WORK/paying"
paying=
for each in $payers; do
    pay_on "$each" &
    paying="$paying $!"
done

# Anonymous memory of the one that is never killed, KiB: the store's map is
# the kernel's to keep or to drop.
sample() {
    awk '/^RssAnon/ { print $2 }' "/proc/$(cat "$NET/validator3/pid")/status" \
        >>"$WORK/memory"
}

train() {
    task=$(submit validator3 "$(make_task soak 100000)") && [ -n "$task" ]
}
await 60 "a task is taken" train

draw() { # N -> 0..N-1, by the seed
    SOAK_SEED=$(((SOAK_SEED * 1103515245 + 12345) % 2147483648))
    drawn=$((SOAK_SEED / 65536 % $1))
}
window() { # seconds: how long a fault lasts
    window_end=$(($(now_ms) + $1 * 1000))
    while [ "$(now_ms)" -lt "$window_end" ]; do
        sleep 0.2
    done
    sample
}
signal() { kill "-$1" "$(cat "$NET/$2/pid")"; }
goes_on() { # what
    goes_top=$(height_of validator3)
    for name in $names; do
        await 60 "$name goes on after $1" reaches "$name" $((goes_top + 2))
    done
    faults=$((faults + 1))
    echo "soak: $(($(date +%s) - begun)) s, height $goes_top, $(cat \
        "$WORK"/acked.* | wc -l) transfers, $(tail -n 1 "$WORK/memory") KiB: $1"
}

faults=0
begun=$(date +%s)
sample
while [ $(($(date +%s) - begun)) -lt "$SOAK_SECONDS" ]; do
    draw 3
    one=validator$drawn
    draw 2
    miner=miner$drawn
    draw 9
    case $drawn in
    0)
        kill_hard "$one"
        window 2
        start "$one"
        goes_on "kill -9 of $one"
        ;;
    1)
        kill_hard "$miner"
        start "$miner"
        goes_on "kill -9 of $miner"
        ;;
    2)
        kill_hard validator0 validator1 validator2
        start validator0 validator1 validator2
        goes_on "kill -9 of three validators"
        ;;
    3)
        signal STOP "$one"
        window 5
        signal CONT "$one"
        goes_on "$one frozen"
        ;;
    4)
        ns_cut "$one"
        window 6
        ns_heal
        goes_on "$one cut off"
        ;;
    5)
        ns_side b validator3 "$one" "$miner"
        window 6
        ns_heal
        goes_on "two halves"
        ;;
    6)
        ns_lose 15 $names
        window 6
        ns_heal
        goes_on "15 % of all packets lost"
        ;;
    7)
        ns_deaf "$one" validator3 miner0 miner1
        window 6
        ns_heal
        goes_on "$one deaf to some"
        ;;
    8)
        signal STOP "$one"
        signal STOP "$miner"
        kill_hard "$one"
        signal CONT "$miner"
        start "$one"
        goes_on "$one killed while frozen"
        ;;
    esac
done

rm "$WORK/paying"
ctl validator3 cancel-task "$task" --wait --json >/dev/null
# shellcheck disable=SC2086
wait $paying
top=$(height_of validator3)
for each in $names; do
    await 60 "$each is at the top" reaches "$each" "$top"
done
same_chain $names

# Every promised transfer once, at the height that was told.
from=1
: >"$WORK/txs"
while [ "$from" -le "$top" ]; do
    get validator3 "/v1/blocks?from=$from&limit=100" |
        jq -r '.blocks[] | .height as $h | .txs[] | "\(.hash) \($h)"' \
            >>"$WORK/txs"
    from=$((from + 100))
done
sort "$WORK/txs" | uniq >"$WORK/txs.once"
[ "$(wc -l <"$WORK/txs")" -eq "$(cut -d' ' -f1 "$WORK/txs" | sort -u | wc -l)" ] ||
    fail "a transaction stands in the chain twice"
cat "$WORK"/acked.* | jq -r 'select(.height != null) | "\(.tx) \(.height)"' |
    sort >"$WORK/acked"
lost=$(sort -u "$WORK/acked" | comm -23 - "$WORK/txs.once" | wc -l)
[ "$lost" -eq 0 ] || fail "$lost transfers were reported and are not in the chain"
[ "$(wc -l <"$WORK/acked")" -gt 50 ] || fail "hardly any load"

# The supply: what the genesis gave is held by somebody, staked, in escrow or
# burnt.
supply=$(jq '([.accounts[].balance, .stakes[].amount] | map(tonumber) | add)' \
    "$NET/genesis.json")
total=$(ctl validator3 task "$task" --json | jq '.escrow_left | tonumber')
for address in $(jq -r '[.accounts[].address, .stakes[].address] | unique[]' \
    "$NET/genesis.json") $(for each in $payers; do
        potctl key show "$NET/payer$each.key" --json | jq -r .address
    done); do
    total=$((total + $(ctl validator3 balance "$address" --json |
        jq '(.balance | tonumber) + (.staked | tonumber)')))
done
[ "$total" -eq "$supply" ] || fail "the supply was $supply, is $total"

# Memory: the last quarter beside the second.  Between them nothing grows with
# the chain; a table of marks that is on its way to its full size doubles.
memory=$(awk '{ m[NR] = $1 } END {
    q = int(NR / 4); if (q < 1) { print 0, 0; exit }
    for (i = q + 1; i <= 2 * q; i++) if (m[i] > early) early = m[i]
    for (i = NR - q + 1; i <= NR; i++) if (m[i] > late) late = m[i]
    print early + 0, late + 0 }' "$WORK/memory")
early=${memory% *}
late=${memory#* }
# AddressSanitizer keeps what was freed.
nm "$(command -v "${POTD:-potd}")" | grep -q __asan_init ||
    [ "$late" -le $((early + 4096)) ] ||
    fail "memory grew from $early to $late KiB"

stop_cleanly $names
verify_stores $names
no_bugs
echo "soak: $faults faults, $top blocks, $(wc -l <"$WORK/acked") transfers," \
    "memory $early -> $late KiB, supply $supply; all is well"
