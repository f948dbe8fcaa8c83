#!/bin/sh
# A node that can only get in by a snapshot asks a peer that lies about it,
# one that gives nothing, and honest ones: it gets in, and the liar is banned.
# One that has fallen behind keeps what it has for as long as it gets nothing.
. "${srcdir:-.}/tests/e2e/lib.sh"
. "$SOURCE/tests/byz/byz.sh"
INTERVAL=40
init_quick_net 4 1
liar=validator3
honest="validator0 validator1 validator2"
for each in $honest $liar miner0; do
    set_key "$each" consensus idle_interval_ms 20
    set_key "$each" storage keep_blocks 32
    set_key "$each" storage snapshot_interval $INTERVAL
done
set_key miner0 miner enabled false
lowest_of() { get "$1" /v1/status lowest_block; }
has_pruned() { [ "$(lowest_of "$1")" -gt "$INTERVAL" ]; }
logs() { grep -q "$1" "$NET/miner0/potd.log"; }
is_banned() { logs "$1"; }

start $honest miner0
start_byz $liar snapshot-lies
await 30 "miner0 has some blocks" reaches miner0 2
stop_cleanly miner0
mv "$NET/miner0/store" "$WORK/early"
: >"$NET/miner0/potd.log"
for each in $honest $liar; do
    await 60 "$each has pruned the first blocks" has_pruned "$each"
done
# From now on a snapshot is kept for longer than it takes to get in.
stop_cleanly $honest $liar
for each in $honest $liar; do
    set_key "$each" consensus idle_interval_ms 500
done
start $honest
start_byz $liar snapshot-lies
await_ready $honest
for trick in snapshot-lies snapshot-headers snapshot-starves; do
    if [ $trick != snapshot-lies ]; then
        stop_cleanly $liar miner0
        start_byz $liar $trick
        await 30 "$liar is back" is_ready $liar
        rm -rf "$NET/miner0/store"
        : >"$NET/miner0/potd.log"
    fi
    # Alone with the liar it gets nowhere, and believes nothing.
    kill -STOP $(for each in $honest; do cat "$NET/$each/pid"; done)
    start miner0
    case $trick in
    snapshot-lies) await 30 "the liar is banned" \
        is_banned 'sent a blob that is not its hash' ;;
    snapshot-headers) await 30 "the liar is banned" \
        is_banned 'sent a block that does not hold' ;;
    snapshot-starves) await 30 "it asks" logs 'part=chunks\|part=headers' ;;
    esac
    [ "$(height_of miner0)" -eq 0 ] || fail "it believed a liar"
    kill -CONT $(for each in $honest; do cat "$NET/$each/pid"; done)
    await 60 "it is in" logs 'snapshot installed'
    tip=$(height_of validator0)
    await 60 "it follows" reaches miner0 "$tip"
done

# The miser again: only headers and a promise that a snapshot is there.
stop_cleanly miner0
rm -r "$NET/miner0/store"
mv "$WORK/early" "$NET/miner0/store"
: >"$NET/miner0/potd.log"
kill -STOP $(for each in $honest; do cat "$NET/$each/pid"; done)
start miner0
await 30 "it asks" logs 'part=chunks'
[ "$(height_of miner0)" -ge 2 ] && [ "$(lowest_of miner0)" -eq 1 ] ||
    fail "it gave its chain up for a promise"
kill -CONT $(for each in $honest; do cat "$NET/$each/pid"; done)
await 60 "it is in" logs 'snapshot installed'
tip=$(height_of validator0)
await 60 "it follows" reaches miner0 "$tip"
stop_cleanly $honest $liar miner0
verify_stores miner0
no_bugs
echo "in at $tip, past a liar about chunks, one about headers, and a miser"
