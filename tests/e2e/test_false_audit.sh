#!/bin/sh
# A miner turns its gradients round, and a validator says to have audited them:
# it has the same worker, so that to it they are right and honest ones are not.
# A challenge of another validator takes from both, and the records say why.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 4 2
cheat=$(address_of miner1)
accomplice=$(address_of validator3)
why_of() { # address kind: the reasons of its records
    ctl validator0 rewards --miner "$1" --json |
        jq -r --arg k "$2" 'select(.for == $k) | .why' | sort -u
}

start validator0 validator1 validator2 miner0
start_bad flip validator3 miner1
await_ready $names
make_task audited 100000 audit_rate=0.88 'numerics="exact"' >/dev/null
# A round in which two accept and two refuse ends by its timeout.
sed -i 's/^numerics.*/&\nround_timeout_ms = 1000/' "$WORK/audited.toml"
task=$(submit validator0 "$WORK/audited.toml")

# What is found out need not be what the accomplice drew: the miner, whose
# stake is gone then, puts up another one.
miners() { ctl validator0 miners --json | jq .miners; }
has_stake() {
    miners | holds --arg m "$1" 'any(.[]; .address == $m)'
}
is_slashed() {
    [ -z "$(why_of "$accomplice" slash)" ] || return 0
    has_stake "$cheat" || POTCTL_KEY=$NET/miner1/key ctl validator0 stake \
        --role miner --amount 100 --wait >/dev/null
    false
}
await 60 "the accomplice was slashed" is_slashed

[ "$(why_of "$accomplice" slash)" = \
    "said to have audited what a challenge proved false" ] ||
    fail "the accomplice: $(why_of "$accomplice" slash)"
[ "$(why_of "$cheat" slash)" = "a challenge proved its submission false" ] ||
    fail "the cheat: $(why_of "$cheat" slash)"
ctl validator0 rewards --miner "$accomplice" | grep -q \
    " slash .* said to have audited what a challenge proved false$" ||
    fail "not in the table"
ctl validator0 challenges --json >"$WORK/challenges"
holds --arg c "$cheat" --arg a "$accomplice" '[.challenges[] |
    select(.status == "upheld")] | all(.miner == $c) and
    ([.[].outcome[] | select(.to == $a and .for == "slash")] | length == 1) and
    any(.[].outcome[]; .to == $c and .for == "slash")' \
    "$WORK/challenges" || fail "$(cat "$WORK/challenges")"
ctl validator0 challenges | grep -q " upheld .*$cheat" ||
    fail "$(ctl validator0 challenges)"

ctl validator0 validators --json | holds --arg a "$accomplice" \
    '.validators | all(if .address == $a then .jailed and
        (.slashed | tonumber) > 0 else (.slashed | tonumber) == 0 end)' ||
        fail "$(ctl validator0 validators --json)"
[ -z "$(why_of "$(address_of miner0)" slash)" ] ||
    fail "the honest miner was slashed"
same_chain $names
no_bugs
echo "$(jq -r '.challenges | map(.status) | group_by(.) |
    map("\(length) \(.[0])") | join(", ")' "$WORK/challenges")"
