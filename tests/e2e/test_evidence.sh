#!/bin/sh
# A validator's key says two things.  Who hears it keeps the evidence through
# a kill -9; it costs the stake once, on every node, whoever tells of it and
# how often; the finder is paid once and nothing of the supply is lost.  A node
# that syncs from nothing comes to the same state.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 4 0
for each in $names; do
    set_key "$each" consensus idle_interval_ms 200
done
jq '.params.epoch_blocks = 20' "$NET/genesis.json" >"$WORK/genesis.json"
cp "$WORK/genesis.json" "$NET/genesis.json"
chain=$(jq -r .chain_id "$NET/genesis.json")

port() { echo $(($(port_of "$1") - 1)); }
account() { ctl "$1" balance "$2" --json; }
has_pending() { # name count
    [ "$(ctl "$1" evidence --json | jq '.pending | length')" -eq "$2" ]
}
has_punished() { # name count
    [ "$(ctl "$1" evidence --json | jq '.punished | length')" -eq "$2" ]
}
bad=$(address_of validator3)
tell() { # mode name...
    tell_mode=$1
    shift
    tell_ports=
    for each in "$@"; do
        tell_ports="$tell_ports $(port "$each")"
    done
    place=$(ctl "$1" validators --json | jq --arg a "$bad" \
        '.validators[] | select(.address == $a) | .index')
    # shellcheck disable=SC2086
    tests/e2e/contradict "$NET/validator3/key" "$chain" "${place:-3}" \
        "$tell_mode" $tell_ports
}

start validator0
await 30 "validator0 answers" height_of validator0
tell forged validator0
tell votes validator0
await 10 "validator0 has the evidence" has_pending validator0 1
await 10 "it is on its disk" test -s "$NET/validator0/evidence"
kill_hard validator0
start validator0
await 30 "validator0 has it still" has_pending validator0 1

start validator1 validator2 validator3
for each in $names; do
    await 30 "$each has punished it" has_punished "$each" 1
    await 10 "$each has none that waits" has_pending "$each" 0
done
finder=$(ctl validator1 evidence --json | jq -r '.punished[0].finder')
[ "$finder" = "$(address_of validator0)" ] || fail "found by $finder"

# Again, in every way, to everyone: it was punished already.
tell evidence $names
tell flood validator1
at=$(height_of validator0)
for each in $names; do
    await 30 "$each goes on" reaches "$each" $((at + 3))
    has_punished "$each" 1 || fail "$each: punished again"
    account "$each" "$bad" >"$WORK/bad"
    holds '.slashed == "1000000000000" and .jailed and
        .stake_validator == "9000000000000"' "$WORK/bad" ||
        fail "$each: $(cat "$WORK/bad")"
    account "$each" "$finder" | holds '.earned == "100000000000"' ||
        fail "$each: the finder has $(account "$each" "$finder")"
done

# Nothing is lost: what all have and what was burnt is the supply.
total=0
for each in "$(address_of validator0)" "$(address_of validator1)" \
    "$(address_of validator2)" "$bad" \
    "$(potctl key show "$POTCTL_KEY" --json | jq -r .address)"; do
    part=$(account validator1 "$each" | jq '[.balance, .staked,
        .unbonding[].amount] | map(tonumber) | add')
    total=$((total + part))
done
get validator1 /v1/params >"$WORK/params"
[ "$(jq -r .burnt "$WORK/params")" = 900000000000 ] || fail "burnt"
[ $((total + 900000000000)) = "$(jq -r .supply "$WORK/params")" ] ||
    fail "of the supply $total is left"

# What people see of it.
block=$(ctl validator2 evidence --json | jq -r '.punished[0].block')
ctl validator2 block "$block" | grep -q "^evidence .*$bad.*votes" ||
    fail "the block does not show it"
ctl validator2 rewards --miner "$bad" | grep -q "slash .*1000 POT" ||
    fail "no slash among the records"
ctl validator2 rewards --miner "$finder" | grep -q "evidence .*100 POT" ||
    fail "no reward among the records"
ctl validator2 balance "$bad" | grep -q "^jailed" || fail "not jailed"
get validator0 /metrics |
    grep -q '^pot_consensus_evidence_pending 0' || fail "metrics"

# At the epoch's end it leaves; with a stake it comes back.
is_validator() {
    ctl "$1" validators --json | holds --arg a "$bad" \
        '[.validators[].address] | index($a) != null'
}
is_out() { ! is_validator "$1"; }
await 60 "the set is without it" is_out validator0
ctl validator0 transfer --to "$bad" --amount 1000 --wait >/dev/null
POTCTL_KEY=$NET/validator3/key ctl validator0 stake --role validator \
    --amount 1500 --wait >/dev/null
await 60 "it is back" is_validator validator0

# A node that lost its chain executes it all again, evidence too.
kill_hard validator2
rm -r "$NET/validator2/store"
start validator2
at=$(height_of validator0)
await 60 "validator2 has synced" reaches validator2 "$at"
has_punished validator2 1 || fail "validator2 knows nothing of it"
same_chain $names
ctl validator2 verify-chain --genesis "$NET/genesis.json" --json |
    holds .ok || fail "verify-chain"
stop_cleanly $names
verify_stores $names
no_bugs
echo "one key said two things, and paid once, in block $block"
