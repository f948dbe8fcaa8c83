#!/bin/sh
# A task whose steps are so long that no gradient is a finite number: who submits
# something all the same is challenged, and the referees agree that it is false;
# an honest miner says why it submits nothing, and its task ends.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 4 2
jq '.params.round_blocks_max = 4 |
    .params.challenge_blocks = 1000' "$NET/genesis.json" >"$WORK/genesis.json"
cp "$WORK/genesis.json" "$NET/genesis.json"
submit_diverging() { # name audit_rate
    make_task "$1" 3 'numerics="exact"' "audit_rate=$2" local_steps=256 \
        'loss="mse"' 'budget="1"' >/dev/null
    sed -i 's/^\[optimizer\]/&\nlocal_rate = 15.9/
        s/^numerics.*/&\nround_timeout_ms = 300/' "$WORK/$1.toml"
    submit validator0 "$WORK/$1.toml"
}
is_upheld() {
    ctl validator0 challenges --json | holds --arg m "$(address_of miner1)" \
        '.challenges | any(.status == "upheld" and .miner == $m)'
}

start validator0 validator1 validator2 validator3 miner0
start_bad noise miner1
await_ready $names

# Hardly ever drawn, noise is counted, if not in the first round, whose roster may
# have closed without its miner.
task=$(submit_diverging noise 0.005)
await 60 "the task ended" has_ended validator0 "$task"
[ "$(task_of validator0 "$task" | jq .submissions)" -ge 1 ] ||
    fail "nothing was counted: $(task_of validator0 "$task")"
counted=$(ctl validator0 rewards --task "$task" --miner "$(address_of miner1)" \
    --json | jq 'select(.for == "training") | .round' | head -n 1)
is_upheld >/dev/null || POTCTL_KEY=$NET/validator1/key ctl validator0 challenge \
    "$task" "$counted" "$(address_of miner1)" --wait >/dev/null
await 30 "the challenge was upheld" is_upheld

# Its stake is gone: the honest one is alone.
says_why() {
    grep "gradient not finite" "$NET/miner0/potd.log" | grep "rate is too high"
}
task=$(submit_diverging alone 1.0)
await 60 "the miner said why" says_why
await 60 "the task ended" has_ended validator0 "$task"
[ "$(task_of validator0 "$task" | jq .submissions)" = 0 ] ||
    fail "$(task_of validator0 "$task")"
[ "$(get miner0 /metrics | awk '/^pot_miner_submitted/ { print $2 }')" = 0 ] ||
    fail "it submitted something"
[ "$(get miner0 /metrics | awk '/^pot_miner_diverged/ { print $2 }')" -le 6 ] ||
    fail "it tried again and again"
same_chain $names
no_bugs
