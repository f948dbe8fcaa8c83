#!/bin/sh
# The primary of the first view answers before every time-out and does harm all
# the same: it is late with each block, or leaves out one client's
# transactions, or evidence.  It is replaced for just that, and what it kept
# back stands in the chain.
. "${srcdir:-.}/tests/e2e/lib.sh"
. "${srcdir:-.}/tests/byz/byz.sh"
honest="validator1 validator2 validator3"

address() { potctl key show "$1" --json | jq -r .address; }
changes() { # name reason
    get "$1" /metrics | sed -n \
        "s/^pot_consensus_view_changes_total{reason=\"$2\"} //p"
}
# The others may be drawn along before they notice.
is_replaced_for() { # reason
    for each in $honest; do
        [ "$(changes "$each" "$1")" -eq 0 ] || return 0
    done
    return 1
}
view_of() { # height
    ctl validator1 block "$1" --json | jq .view
}

# begin TRICK TIMEOUT: a network of which validator0 is the primary, and plays it.
begin() {
    init_quick_net 4 0
    for each in $names; do
        # Its blocks are the first to be judged: none of them is missed while
        # they meet.
        set_key "$each" consensus propose_timeout_ms "$2"
    done
    start_byz validator0 "$1"
    start $honest
    await_ready $honest
    await 20 "validator0 leads" leads validator0
}
leads() {
    [ "$(ctl validator1 status --json | jq -r .primary)" = \
        "$(address "$NET/$1/key")" ]
}
is_led_by_others() { ! leads validator0; }

finish() { # what it is replaced for
    await 40 "it is replaced: $1" is_replaced_for "$1"
    await 20 "another one leads" is_led_by_others
    at=$(height_of validator1)
    await 20 "blocks under another" reaches validator1 $((at + 3))
    same_chain $honest
    kill_hard validator0 $honest
    no_bugs
}

# ---- late, but never too late

export BYZ_DELAY_MS=600
begin slow 1000
# Blocks with nothing to do are slow for a reason.
: >"$WORK/paying"
while [ -e "$WORK/paying" ]; do
    ctl validator1 transfer --to "$(address "$NET/validator1/key")" \
        --amount 1 --json >/dev/null 2>&1 || true
    sleep 0.1
done &
payer=$!
finish slow
rm "$WORK/paying"
wait "$payer" || true
echo "one that was late was replaced"

# ---- without one client's transactions

BYZ_CENSOR=$(potctl key new "$WORK/victim.key" --json | jq -r .address)
export BYZ_CENSOR
begin censor 2000 # it is never late
ctl validator1 transfer --to "$BYZ_CENSOR" --amount 10 --wait --json >/dev/null
[ "$(ctl validator1 status --json | jq .view)" -eq 0 ] ||
    fail "replaced before it left out anything"
POTCTL_KEY=$WORK/victim.key ctl validator1 transfer --wait --timeout 40s \
    --to "$(address "$NET/validator1/key")" --amount 1 --json >"$WORK/tx" ||
    fail "the victim's transfer: $(cat "$WORK/tx")"
height=$(jq .height "$WORK/tx")
[ "$(view_of "$height")" -gt 0 ] || fail "the censor took it"
finish censor
echo "the transfer that was left out stands at height $height"

# ---- without evidence

# The accused is away: no node but this test speaks with its key.
honest="validator1 validator2"
begin spare 1000 # within the blocks in which evidence counts
has_punished() { # name
    [ "$(ctl "$1" evidence --json | jq '.punished | length')" -eq 1 ]
}
place=$(ctl validator1 validators --json | jq --arg a \
    "$(address "$NET/validator3/key")" \
    '.validators[] | select(.address == $a) | .index')
for each in $honest; do
    tests/e2e/contradict "$NET/validator3/key" \
        "$(jq -r .chain_id "$NET/genesis.json")" "$place" votes \
        $(($(port_of "$each") - 1))
done
for each in $honest; do
    await 40 "$each has punished it" has_punished "$each"
done
height=$(ctl validator1 evidence --json | jq '.punished[0].block')
[ "$(view_of "$height")" -gt 0 ] || fail "the one that spares took it"
finish censor
echo "the evidence that was left out stands at height $height"
