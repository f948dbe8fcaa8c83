#!/bin/sh
# A node alone is a whole network: validator, miner and API in one.  Its key may
# be encrypted.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 1 0
jq -c '.params += {challenge_blocks: 1, challenge_ms: 1}' \
    "$NET/genesis.json" >"$WORK/genesis"
cp "$WORK/genesis" "$NET/genesis.json"
start validator0
await_ready validator0

# A check says the cost, and whether the key's balance is enough; without a key
# the cost alone.  It sends nothing.
file=$(make_task single 30 audit_rate=1.0)
check_task() { ctl validator0 submit-task "$@" --check --json; }
balance=$(ctl validator0 balance --json | jq -r .balance)
check_task "$file" >"$WORK/check" 2>"$WORK/notes" || fail "$(cat "$WORK/notes")"
jq -e --arg b "$balance" '.ok and .balance == $b and .warnings == [] and
    (.cost | tonumber) > 5e9' "$WORK/check" >/dev/null ||
    fail "--check: $(cat "$WORK/check")"
(unset POTCTL_KEY; check_task "$file" >"$WORK/open" 2>"$WORK/notes") ||
    fail "$(cat "$WORK/notes")"
[ "$(jq .cost "$WORK/open")" = "$(jq .cost "$WORK/check")" ] &&
    [ "$(jq .balance "$WORK/open")" = null ] &&
    grep -q 'no key was named' "$WORK/notes" || fail "$(cat "$WORK/open")"
potctl key new "$WORK/poor.key" >/dev/null
code=0
check_task "$file" --key "$WORK/poor.key" >"$WORK/poor" 2>&1 || code=$?
[ "$code" = 6 ] && grep -q 'the task costs 5\.[0-9]* POT (budget 5, fees 0\.[0-9]*), but pot1.* holds 0 POT' \
    "$WORK/poor" || fail "exit $code, $(cat "$WORK/poor")"
grep "^{" "$WORK/poor" | holds '(.ok | not) and .balance == "0" and
    (.errors | length == 1) and (.cost | tonumber) > 5e9' ||
    fail "--check --json of who cannot pay: $(cat "$WORK/poor")"
many=$(make_task many 30 min_submissions=3)
check_task "$many" 2>/dev/null | jq -e '.warnings | length == 1 and (.[0] |
    contains("min_submissions: is 3, but only 1 with"))' >/dev/null ||
    fail "--check of too many: $(check_task "$many")"
sed 's/^\[reward\]/&\nminer_stake = "1000000"/' "$file" >"$WORK/rich.toml"
check_task "$WORK/rich.toml" 2>/dev/null | holds '.warnings | length == 1 and
    (.[0] | contains("reward.miner_stake: 0 of 1 miners have"))' ||
    fail "--check of a high stake: $(check_task "$WORK/rich.toml")"
[ "$(ctl validator0 balance --json | jq -r .nonce)" = 0 ] || fail "it sent"

# Of equal commands at once as many say that they did it as did.  They go in
# step: the node answers the first question of all at once.
potctl key new "$WORK/to.key" >"$WORK/to"
pids=
port=$(printf '0100007F:%04X' "$(port_of validator0)")
six_have_asked() { [ "$(grep -c ": [0-9A-F:]* $port 01 " /proc/net/tcp)" -ge 6 ]; }
kill -STOP "$(cat "$NET/validator0/pid")"
for i in 1 2 3 4 5 6; do
    ctl validator0 transfer --to "$(cat "$WORK/to")" --amount 1 --wait \
        --quiet >"$WORK/equal$i" 2>&1 &
    pids="$pids $!"
done
await 20 "six commands have asked" six_have_asked
kill -CONT "$(cat "$NET/validator0/pid")"
moved=0
for pid in $pids; do
    code=0
    wait "$pid" || code=$?
    [ "$code" = 0 ] || [ "$code" = 6 ] || fail "exit $code: $(cat "$WORK"/equal*)"
    [ "$code" != 0 ] || moved=$((moved + 1))
done
ctl validator0 balance "$(cat "$WORK/to")" --json |
    holds --argjson n "$moved" '.balance == ($n * 1e9 | tostring)' ||
    fail "$moved say they moved 1 POT: $(cat "$WORK"/equal*)"

task=$(submit validator0 "$file")
await 60 "the task ended" has_ended validator0 "$task"
task_of validator0 "$task" >"$WORK/task.json"
holds '.status == "completed" and .rejected == 0 and .test_accuracy >= 0.8' \
    "$WORK/task.json" || fail "$(cat "$WORK/task.json")"
kill_hard validator0
# It comes back with its key, and the client with its own, under a passphrase.
(umask 077; echo 'eight or more' >"$WORK/words")
export POTCTL_PASSPHRASE_FILE="$WORK/words"
potctl key encrypt "$NET/validator0/key" >/dev/null
potctl key encrypt "$POTCTL_KEY" >/dev/null
grep -q '^potkey1:' "$NET/validator0/key" "$POTCTL_KEY" || fail "in plain"
# The node's three keys are one file, which is opened once: a pipe says its
# passphrase once.
mkfifo -m 600 "$WORK/pipe"
cat "$WORK/words" >"$WORK/pipe" &
POTD_KEY_PASSPHRASE_FILE=$WORK/pipe start validator0
await_ready validator0
second=$(submit validator0 "$(make_task again 10 'numerics="blas"')")
await 60 "the second task ended" has_ended validator0 "$second"

# What cannot be challenged is said, and of what a hash is that is not what it
# was taken for.
says() { # text arguments...
    text=$1
    shift
    ! ctl validator0 "$@" >"$WORK/out" 2>"$WORK/message" &&
        grep -q "$text" "$WORK/message" ||
        fail "$*: no \"$text\": $(cat "$WORK/message")"
}
miner=$(potctl key show "$NET/validator0/key")
await 30 "blocks behind the task" reaches validator0 \
    $(($(task_of validator0 "$second" | jq .ended_height) + 2))
ctl validator0 balance "$miner" >"$WORK/balance"
grep -q '^  as miner  *[1-9]' "$WORK/balance" &&
    ! grep -q 'it can be challenged' "$WORK/balance" ||
    fail "bound for good: $(cat "$WORK/balance")"
says 'too late: round 9 closed at height' challenge "$task" 9 "$miner"
says 'holds 0 POT' challenge "$task" 9 "$miner" --key "$WORK/poor.key"
says 'numerics = "exact" can be challenged' challenge "$second" 9 "$miner"
block=$(ctl validator0 block 1 --json | jq -r .hash)
data=$(task_of validator0 "$task" | jq -r .train_dataset)
says 'counted from 0 (HTTP 404)$' challenge "$task" 9999 "$miner"
says "no such transaction; the hash is a block's" tx "$block"
says "no such transaction; the hash is a data set's" tx "$data"
says "no such block; the hash is a task's" block "$task"
says "no such task; the hash is a block's" task "$block"
says "no such data set; the hash is a block's" dataset show "$block"
says 'no such task' challenges --task "$(printf '%064d' 7)"
says 'no such block' block "$(printf '%064d' 0)"
says "saved in $WORK: a folder, not a file" task "$task" --save "$WORK"
third=$(submit validator0 "$(make_task third 1000 'numerics="blas"')")
says "the task goes on, and .potctl watch $third. follows it\$" \
    watch "$third" --timeout 2s

# What it costs is said before what is on its way.
ctl validator0 transfer --to "$(cat "$WORK/to")" --amount 1 --wait \
    >"$WORK/out" 2>"$WORK/message" || fail "$(cat "$WORK/message")"
[ "$(cut -d ' ' -f 1 "$WORK/message" | tr '\n' ' ')" = 'fee: sent ' ] ||
    fail "the order: $(cat "$WORK/message")"
ctl validator0 tx "$task" | grep "^from  *$(potctl key show "$POTCTL_KEY")\$" ||
    fail "potctl tx: $(ctl validator0 tx "$task")"
ctl validator0 verify-chain --genesis "$NET/genesis.json" --json |
    holds .ok || fail "verify-chain"
stop_cleanly validator0
verify_stores validator0
no_bugs
echo "one node trained, accuracy $(jq .test_accuracy "$WORK/task.json")"
