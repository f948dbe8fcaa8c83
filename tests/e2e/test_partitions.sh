#!/bin/sh
# Lost packets and partitions (2|2, 3|1, ring, one way), each node in a network
# namespace of its own: never two chains, no block without a quorum, and after
# the healing all go on together.
. "${srcdir:-.}/tests/e2e/lib.sh"
. "${srcdir:-.}/tests/e2e/netns.sh"
init_net 4 0
ns_open
for each in $names; do
    set_key "$each" consensus propose_timeout_ms 500
    set_key "$each" consensus idle_interval_ms 200
    set_key "$each" miner enabled false
done
start $names
await_ready $names

grow() { # blocks what names...: from the highest of them on
    grow_by=$1
    grow_what=$2
    shift 2
    top=0
    for each in "$@"; do
        h=$(height_of "$each")
        [ "$h" -le "$top" ] || top=$h
    done
    for each in "$@"; do
        await 40 "$each grows: $grow_what" reaches "$each" $((top + grow_by))
    done
}

pay() { # name amount -> its hash; accepted there, not awaited
    ctl "$1" transfer --to "$(potctl key show "$NET/miner.key" --json |
        jq -r .address)" --amount "$2" --json | jq -r .tx
}
is_paid() { # name amount
    [ "$(ctl "$1" balance "$(potctl key show "$NET/miner.key" --json |
        jq -r .address)" --json | jq -r .balance)" = "$2" ]
}
potctl key new "$NET/miner.key" >/dev/null

grow 2 "all is well" $names
ns_lose 20 $names
grow 3 "a fifth of all packets lost" $names
ns_heal

# 2|2: what was under way may still come, and who was behind at the cut gets what
# the other of its half has.  Each half gives up the view, once: the time of the
# next one begins when a quorum wants it.  Then neither half commits anything
# for as long as several time-outs.
changes_of() {
    get "$1" /metrics | sed -n 's/^pot_consensus_view_changes_total[^ ]* //p' |
        awk '{ n += $1 } END { print n + 0 }'
}
gives_up() { [ "$(changes_of "$1")" -gt "$2" ]; } # name count
level() { [ "$(height_of "$1")" -eq "$(height_of "$2")" ]; } # name name
heights() { echo "$(height_of validator0),$(height_of validator2)"; }
first=$(changes_of validator0)
second=$(changes_of validator2)
ns_side b validator2 validator3
await 20 "validator0 gives up its view" gives_up validator0 "$first"
await 20 "validator2 gives up its view" gives_up validator2 "$second"
await 20 "the first half has the same blocks" level validator0 validator1
await 20 "the second half has the same blocks" level validator2 validator3
before=$(heights)
until=$(($(now_ms) + 2000))
while [ "$(now_ms)" -lt "$until" ]; do
    [ "$(heights)" = "$before" ] || fail "half of the validators commit blocks"
    sleep 0.1
done
pay validator0 1 >/dev/null
POTCTL_KEY=$NET/validator3/key pay validator3 2 >/dev/null
view=$(ctl validator0 status --json | jq -r .view)
ns_heal
grow 2 "the halves are joined" $names
for each in $names; do
    await 30 "$each has what both halves accepted" is_paid "$each" 3000000000
done
[ "$(ctl validator0 status --json | jq -r .view)" -le $((view + 4)) ] ||
    fail "the halves ran away in view"

# 3|1: the majority goes on, the one that was away comes after.
ns_cut validator1
grow 3 "three of four" validator0 validator2 validator3
ns_heal
grow 1 "the fourth is back" $names

# A ring: nobody hears the one opposite; three are a quorum.
ns_deaf validator0 validator2
ns_deaf validator2 validator0
ns_deaf validator1 validator3
ns_deaf validator3 validator1
moves() { reaches validator0 $((ring_at + 3)) || gives_up validator0 "$ring_views"; }
ring_at=$(height_of validator0)
ring_views=$(($(changes_of validator0) + 1))
await 30 "blocks or views in the ring" moves
ns_heal
grow 2 "after the ring" $names

# One way: the primary is heard, and hears nobody.
primary=$(ctl validator0 status --json | jq -r .primary)
for each in $names; do
    [ "$(ctl "$each" status --json | jq -r .node)" = "$primary" ] && deaf=$each
done
others=$(echo "$names" | tr ' ' '\n' | grep -v "^$deaf$" | tr '\n' ' ')
# shellcheck disable=SC2086
ns_deaf "$deaf" $others
grow 3 "without the deaf primary" $others
ns_heal
grow 2 "the deaf one hears again" $names

same_chain $names
stop_cleanly $names
verify_stores $names
no_bugs
echo "apart, and one chain"
