#!/bin/sh
# Every node prunes.  A new one gets in by a snapshot all the same, though it
# dies on the way; a validator that lost its disk, too, and one that was away
# for longer than others keep blocks.
. "${srcdir:-.}/tests/e2e/lib.sh"
. "$SOURCE/tests/e2e/disk_lib.sh"
INTERVAL=40
init_net 4 2
all="validator0 validator1 validator2 validator3 miner0"
for each in $all miner1; do
    set_key "$each" consensus idle_interval_ms 20
    set_key "$each" storage keep_blocks 32
    set_key "$each" storage snapshot_interval $INTERVAL
    set_key "$each" storage keep_blobs 0
done
set_key miner1 miner enabled false
start $all miner1
await_ready $all
await 20 "miner1 has some blocks" reaches miner1 2
stop_cleanly miner1
mv "$NET/miner1/store" "$WORK/early"
: >"$NET/miner1/potd.log"
task=$(submit validator0 "$(make_task snapshot 5)")
await 60 "the task ended" has_ended validator0 "$task"
lowest_of() { get "$1" /v1/status lowest_block; }
has_pruned() { [ "$(lowest_of "$1")" -gt "$INTERVAL" ]; }
for each in $all; do
    await 60 "$each has pruned the first blocks" has_pruned "$each"
done
# From now on a snapshot is kept for longer than it takes to get in.
stop_cleanly $all
for each in $all; do
    set_key "$each" consensus idle_interval_ms 500
done
start $all
await_ready $all

# A new node dies at its n-th write or sync, in each life at a later one, until
# it is in: on the way, while it installs, behind that.
logs() { grep -q "$1" "$NET/miner1/potd.log"; }
has_died() { ! kill -0 "$(cat "$NET/miner1/pid")" 2>/dev/null; }
deaths=0
early=0
for n in 41 100 150 260; do
    case $((n % 3)) in 0) way=kill ;; 1) way=torn ;; *) way=power ;; esac
    faults miner1 "* any $way@$n"
    start_faulty miner1
    await 30 "it dies at its call $n ($way)" has_died
    wait "$(cat "$NET/miner1/pid")" 2>/dev/null || true
    deaths=$((deaths + 1))
    logs 'snapshot installed' || early=$((early + 1))
done
[ $early -ge 1 ] || fail "it was in before it died first"
faults miner1
start miner1
await 60 "it is in" reaches miner1 $((INTERVAL + 1))
tip=$(height_of validator0)
await 30 "it follows" reaches miner1 "$tip"
is_told() {
    curl -fsS -D "$WORK/head" -o /dev/null "$(url_of miner1)/v1/tasks" &&
        grep -qi '^Pot-Synced: true' "$WORK/head" &&
        grep -qi '^Pot-Height: [1-9]' "$WORK/head"
}
await 30 "its answers say that they are of today" is_told
[ "$(lowest_of miner1)" -gt 1 ] || fail "it has all blocks: from whom?"
[ "$(task_of miner1 "$task" | jq -r .parameters_hash)" = \
    "$(task_of validator0 "$task" | jq -r .parameters_hash)" ] ||
    fail "another model"
ctl miner1 task "$task" --save "$WORK/model.safetensors" >/dev/null ||
    fail "the parameters are not there"
ctl miner1 verify-chain --genesis "$NET/genesis.json" --json |
    holds .ok || fail "verify-chain"
stop_cleanly miner1
verify_stores miner1
grep -q 'headers: .* are pruned' "$WORK/verify.miner1" ||
    fail "it has all blocks: $(cat "$WORK/verify.miner1")"
grep -q 'misbehaved\|bann' "$NET/miner1/potd.log" &&
    fail "an honest peer was banned"

# A validator whose disk is new.
stop_cleanly validator3
rm -rf "$NET/validator3/store" "$NET/validator3/sign_state"
POTD_HOME=$NET/validator3 potd --config "$NET/validator3/node.toml" \
    --recover >"$WORK/recover" || fail "recover: $(cat "$WORK/recover")"
start validator3 miner1
await 60 "validator3 is in" reaches validator3 "$tip"
await 60 "it votes again" is_ready validator3

# Who was away for long: nobody holds its next block any more.  It dies on the
# way, too; its old state is there until the new one is.
stop_cleanly miner1
rm -r "$NET/miner1/store"
mv "$WORK/early" "$NET/miner1/store"
tip=$(height_of validator0)
: >"$NET/miner1/potd.log"
for n in 60 110; do
    faults miner1 "* any kill@$n"
    start_faulty miner1
    await 30 "it dies at its call $n" has_died
    wait "$(cat "$NET/miner1/pid")" 2>/dev/null || true
done
faults miner1
start miner1
await 60 "miner1 is in anew" reaches miner1 "$tip"
logs 'snapshot installed' || fail "it has the blocks: from whom?"
! logs 'started.* height=0' || fail "it gave its chain up before it had another"
stop_cleanly $all miner1
verify_stores validator3 validator0 miner1
no_bugs
echo "in by a snapshot at $tip, after $deaths deaths, $early of them on the way;" \
    "a validator with a new disk"
