#!/bin/sh
# A validator far away: its votes come last, when nobody needs them any more.
# The others know what it has signed all the same: an old sign state is found
# out.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 4 0
for each in $names; do
    set_key "$each" consensus idle_interval_ms 600
done
p2p_of() { echo $(($(port_of "$1") - 1)); }
far=$(p2p_of validator3)
at=$((BASE_PORT + 40))
for each in validator0 validator1 validator2; do
    port=$(p2p_of "$each")
    sed -i "/127.0.0.1:$far\"/d" "$NET/$each/node.toml"
    sed -i "s/127.0.0.1:$port\"/127.0.0.1:$at\"/" "$NET/validator3/node.toml"
    pairs="${pairs-} $at:$port"
    at=$((at + 1))
done
# shellcheck disable=SC2086 # a word each
python3 "$SOURCE/tests/e2e/far.py" "$WORK/far" 150 $pairs &
await 20 "somebody in between" test -e "$WORK/far"
start $names
await_ready $names
await 30 "the first blocks" reaches validator3 5
stop_cleanly validator3
cp "$NET/validator3/sign_state" "$WORK/sign_state"
start validator3
await_ready validator3
await 60 "later blocks" reaches validator3 $(($(height_of validator0) + 20))
kill_hard validator3
cp "$WORK/sign_state" "$NET/validator3/sign_state"
: >"$NET/validator3/potd.log"
start validator3
word() { grep "votes from now on\|no votes until" "$NET/validator3/potd.log"; }
await 60 "validator3 says whether it votes" word
grep -q "no votes until the chain is past" "$NET/validator3/potd.log" ||
    fail "nobody knew what it had signed: $(word)"
is_voting() { [ "$(ctl "$1" status --json | jq -r .voting)" = true ]; }
await 60 "validator3 votes again" is_voting validator3
no_bugs
