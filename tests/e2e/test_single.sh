#!/bin/sh
# A node alone is a whole network: validator, miner and API in one.  Its key may
# be encrypted.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 1 0
start validator0
await_ready validator0
task=$(submit validator0 "$(make_task single 30 audit_rate=1.0)")
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
POTD_KEY_PASSPHRASE_FILE=$WORK/words start validator0
await_ready validator0
second=$(submit validator0 "$(make_task again 10)")
await 60 "the second task ended" has_ended validator0 "$second"
ctl validator0 verify-chain --genesis "$NET/genesis.json" --json |
    holds .ok || fail "verify-chain"
stop_cleanly validator0
verify_stores validator0
no_bugs
echo "one node trained, accuracy $(jq .test_accuracy "$WORK/task.json")"
