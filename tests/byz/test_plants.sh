#!/bin/sh
# Every submission is false on purpose.  A validator that says to have audited
# them all is found by them and slashed.  One that did audit some refuses and
# challenges them, and neither it nor a miner loses anything.
. "${srcdir:-.}/tests/e2e/lib.sh"
. "$SOURCE/tests/byz/byz.sh"
init_quick_net 4 2
# No election: with the liar gone one word would refuse a plant, and nobody
# would have to challenge it.
jq '.params.epoch_blocks = 100000' "$NET/genesis.json" >"$WORK/genesis.json"
cp "$WORK/genesis.json" "$NET/genesis.json"
liar=$(address_of validator3)
start validator0 validator1 validator2 miner0 miner1
start_byz validator3 audits-claimed
await_ready $names
# Who drew one refuses it, and two who did keep it from being counted.
make_task planted 100000 audit_rate=0.2 >/dev/null
sed -i 's/^audit_rate.*/&\nplant_rate = 1/
    s/^numerics.*/&\nround_timeout_ms = 2000/' "$WORK/planted.toml"
task=$(submit validator0 "$WORK/planted.toml")

challenges() { ctl validator0 challenges --json | jq -r "$@"; }
settled() { challenges '.challenges[] | select(.status != "open") | .status'; }
is_slashed() {
    ctl validator0 validators --json | holds --arg a "$liar" \
        '.validators | any(.address == $a and (.slashed | tonumber) > 0)'
}
await 60 "the liar is slashed" is_slashed
# A miner that dies and comes back still answers for what it planted.
kill_hard miner0
start miner0
await_ready miner0
# What it planted last is told by the link of a later submission alone.
round=$(round_of validator0 "$task")
has_gone_on() {
    ctl validator0 rewards --task "$task" --miner "$(address_of miner0)" --json |
        holds -s --argjson r "$round" \
            'any(.[]; .for == "training" and .round > $r)'
}
await 60 "the one that came back is counted again" has_gone_on
# The miners opened what found it; what others opened ends in the same way.
has_honest() {
    challenges -e --arg a "$(address_of miner0)" --arg b \
        "$(address_of miner1)" 'any(.challenges[]; .status == "planted" and
        .challenger != $a and .challenger != $b)'
}
await 60 "a plant that an honest validator challenged" has_honest

ctl validator0 cancel-task "$task" --wait >/dev/null
others=$(settled | sort -u | grep -v planted || true)
[ -z "$others" ] || fail "settled otherwise: $others"
ctl validator0 validators --json | holds --arg a "$liar" '.validators |
    all(.address == $a or ((.slashed | tonumber) == 0 and (.jailed | not)))' ||
    fail "$(ctl validator0 validators)"
ctl validator0 miners --json |
    holds '.miners | length == 2 and all((.slashed | tonumber) == 0)' ||
        fail "$(ctl validator0 miners)"
why=$(ctl validator0 rewards --miner "$liar" --json |
    jq -r 'select(.for == "slash") | .why')
[ "$why" = "said to have audited what was planted" ] || fail "why: $why"
# What the last round planted is exposed once the task is over: then all of it
# is known.
is_explained() {
    ctl validator0 replay "$task" --json >"$WORK/replay" &&
        holds '.identical and .plants > 0 and .plants == .gradients' \
            "$WORK/replay"
}
await 40 "the replay tells plants from fraud" is_explained
# Their miners know of those that were refused at once, if chance had it so.
refused=$(ctl validator0 task "$task" --json | jq '.rejected')
[ "$refused" = 0 ] ||
    grep -h "plant not counted: found, as planned" "$NET"/miner*/potd.log |
    grep -q "round=" || fail "no miner says that its plant was refused"
same_chain validator0 validator1 validator2
no_bugs
echo "$(settled | wc -l) plants were exposed"
