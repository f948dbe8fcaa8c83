#!/bin/sh
# Retention: a node that keeps some blocks holds the headers of the others,
# says so to whoever asks, reuses the room, and its chain can still be checked
# from the genesis on.
. "${srcdir:-.}/tests/e2e/lib.sh"
KEEP=64
init_net 1 2
for each in $names; do
    set_key "$each" consensus idle_interval_ms 20
done
set_key validator0 storage keep_blocks $KEEP
set_key validator0 storage snapshot_interval 0 # they would keep blocks
set_key miner1 miner enabled false
start validator0 miner0
await_ready validator0 miner0
task=$(submit validator0 "$(make_task pruned 60 audit_rate=0.1 \
    'numerics="blas"')")
await 90 "the task ended" has_ended validator0 "$task"
ended=$(task_of validator0 "$task" | jq -r .ended_height)

lowest_of() {
    get "$1" /v1/status lowest_block
}
has_pruned() { [ "$(lowest_of "$1")" -gt "$2" ]; }
await 60 "the blocks of the task are pruned" has_pruned validator0 "$ended"

# What is gone, and what is not.
code_of() {
    curl -sS -o "$WORK/answer" -w '%{http_code}' "$(url_of validator0)$1"
}
[ "$(code_of "/v1/blocks/$ended")" -eq 410 ] || fail "block $ended is there"
holds '.error.code == "pruned"' "$WORK/answer" ||
    fail "no clear answer: $(cat "$WORK/answer")"
[ "$(code_of "/v1/blocks/$ended/raw")" -eq 200 ] || fail "no header is left"
[ "$(code_of "/v1/blocks/latest")" -eq 200 ] || fail "no block is left"
task_of validator0 "$task" | holds '.status == "completed"' ||
    fail "the task is not in the state"
ctl validator0 rewards --task "$task" >"$WORK/out" 2>&1
grep -q "is held here: this node keeps blocks from height [0-9]* on" \
    "$WORK/out" || fail "rewards: $(cat "$WORK/out")"
ctl validator0 verify-chain --genesis "$NET/genesis.json" --json |
    holds .ok || fail "verify-chain"

# A restart finds a pruned store right, and freed room is used again.
stop_cleanly validator0
verify_stores validator0
grep -q 'headers: .* are pruned' "$WORK/verify.validator0" ||
    fail "no word of pruned blocks: $(cat "$WORK/verify.validator0")"
size() { wc -c <"$NET/$1/store/data.mdb"; }
before=$(size validator0)
full_before=$(size miner0)
start validator0
tip=$(height_of miner0)
await 60 "many blocks more" reaches validator0 $((tip + 300))
await 30 "the other one too" reaches miner0 $((tip + 300))
grown=$(($(size validator0) - before))
full_grown=$(($(size miner0) - full_before))
[ $((2 * grown)) -lt "$full_grown" ] ||
    fail "pruned, it grew by $grown bytes; with all blocks by $full_grown"
full_lowest=$(lowest_of miner0)
[ "$full_lowest" -eq 1 ] || fail "miner0 pruned, though it was not told to"

# A new node gets what the pruned one has not from the other.
start miner1
await 60 "the new one is there" reaches miner1 $((tip + 300))
stop_cleanly miner1 miner0
verify_stores miner1

# A node that finds only a pruned one says why it waits.
rm -rf "$NET/miner1/store"
start miner1
is_unserved() {
    grep -q 'no peer holds the next block' "$NET/miner1/potd.log"
}
await 30 "it says that nobody has the first blocks" is_unserved
grep -q 'misbehaved\|bann' "$NET/miner1/potd.log" &&
    fail "an honest peer was banned"
stop_cleanly miner1 validator0
no_bugs
echo "blocks up to $ended pruned; 300 blocks more took $grown bytes," \
    "with all blocks $full_grown"
