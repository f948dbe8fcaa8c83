#!/bin/sh
# The validators' workers answer when all rounds are closed: what was drawn in
# them is audited all the same, and the miner that made its gradients up is
# challenged.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 4 2
jq '.params.challenge_blocks = 1000 | .params.round_blocks_max = 2' "$NET/genesis.json" >"$WORK/genesis.json"
cp "$WORK/genesis.json" "$NET/genesis.json"
upheld() {
    ctl validator0 challenges --json | holds --arg m "$(address_of miner1)" \
        '.challenges | any(.status == "upheld" and .miner == $m)'
}
dropped() { get validator0 /metrics | awk '/^pot_audits_dropped/ { print $2 }'; }

export POT_BAD_FILE="$WORK/release"
start_bad held validator0 validator1 validator2 validator3
start miner0
start_bad noise miner1
await_ready $names
# A gradient that two of four have drawn is counted only when its round has
# ended by its timeout without it.
make_task late 16 audit_rate=0.58 'numerics="exact"' >/dev/null
sed -i 's/^numerics.*/&\nround_timeout_ms = 300/' "$WORK/late.toml"
task=$(submit validator0 "$WORK/late.toml")
await 60 "the task ended" has_ended validator0 "$task"

# Nobody has judged any of them by now, but they were paid for.
ctl validator0 challenges --json | holds '.challenges == []' ||
    fail "accused before anything was computed"
ctl validator0 rewards --miner "$(address_of miner1)" --task "$task" --json |
    holds -s 'map(select(.for == "training")) | length > 0' ||
    fail "no false gradient was counted"
: >"$WORK/release"
await 30 "a false gradient was found out" upheld
[ "$(dropped)" = 0 ] || fail "$(dropped) audits dropped"
same_chain $names
no_bugs
echo "audits after the last round: $(get validator0 /metrics |
    awk '/^pot_verify_total.*audited/ { print $2 }') at validator0"
