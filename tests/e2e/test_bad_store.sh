#!/bin/sh
# What happens to disks: a sign state that is gone or another key's, a store
# that was wiped, damaged, or has no room to grow.  No node signs twice, none
# serves what is wrong, and each says in one line what to do.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 4 1
start $names
await_ready $names
task=$(submit validator0 "$(make_task store 30)")
await 60 "the task ended" has_ended validator0 "$task"
for each in $names; do
    await 20 "$each has the end" has_ended "$each" "$task"
done
stop_cleanly $names

# refuses CODE TEXT NAME [OPTIONS...]
refuses() {
    code=$1
    text=$2
    toml=$NET/$3/node.toml
    shift 3
    got=0
    timeout 60 potd --config "$toml" "$@" >"$WORK/out" 2>"$WORK/err" || got=$?
    [ "$got" -eq "$code" ] || fail "exit $got, not $code: $(cat "$WORK/err")"
    grep -q -- "$text" "$WORK/err" || fail "no \"$text\": $(cat "$WORK/err")"
}

v0=$NET/validator0
cp -r "$v0" "$WORK/safe"
restore() {
    rm -rf "$v0"
    cp -r "$WORK/safe" "$v0"
}

# The guard: a key that has signed, without its memory of what.
rm "$v0/sign_state"
refuses 9 'there is no sign state of this key' validator0
cp "$NET/validator1/sign_state" "$v0/sign_state"
refuses 9 "another key's or another chain's" validator0
restore
head -c 1000 /dev/urandom >"$v0/sign_state"
refuses 8 'sign_state.*`potctl recover' validator0
restore

# Damage: each page of the file in turn would take long; a few will do.
data=$v0/store/data.mdb
[ -e "$data" ] || data=$(find "$v0/store" -name '*.mdb' ! -name 'lock*' | head -n 1)
pages=$(($(stat -c %s "$data") / 4096))
found=0
for page in 2 $((pages / 3)) $((pages / 2)) $((pages - 2)); do
    dd if=/dev/urandom of="$data" bs=4096 seek="$page" count=1 conv=notrunc \
        2>/dev/null
    got=0
    timeout 60 potd --config "$v0/node.toml" --verify-store \
        >"$WORK/out" 2>"$WORK/err" || got=$?
    case $got in
    0) ;; # a page that nothing uses
    8) found=$((found + 1)) ;;
    *) fail "damage of page $page: exit $got: $(cat "$WORK/err")" ;;
    esac
    restore
done
[ "$found" -gt 0 ] || fail "no damage was found"
truncate -s $((pages * 4096 / 2)) "$data"
refuses 8 'data.mdb.*`potctl resync' validator0
refuses 8 'data.mdb.*`potctl resync' validator0 --verify-store
restore

# No room: a limit on the size of files stands in for a full disk.
rm -f "$v0/potd.log"
limit=$(($(stat -c %s "$data") / 1024 + 64))
start validator1 validator2 validator3 miner0
( # 512-byte blocks in sh, KiB in bash
    ulimit -f $((limit * 2))
    exec potd --config "$v0/node.toml"
) >"$WORK/full.log" 2>&1 &
echo $! >"$v0/pid"
await_ready validator1 validator2 validator3
second=$(submit validator1 "$(make_task filling 60)")
await 60 "the others end the task" has_ended validator1 "$second"

# Full: readable and not ready, or ended with 10.
is_full_or_gone() {
    if kill -0 "$(cat "$v0/pid")" 2>/dev/null; then
        [ "$(curl -sS -o "$WORK/ready" -w '%{http_code}' \
            "$(url_of validator0)/readyz")" = 503 ]
    fi
}
await 20 "validator0 says that it is full" is_full_or_gone
if kill -0 "$(cat "$v0/pid")" 2>/dev/null; then
    reaches validator0 1 || fail "it cannot be read any more"
    kill -TERM "$(cat "$v0/pid")"
fi
got=0
wait "$(cat "$v0/pid")" || got=$?
[ "$got" -eq 10 ] || [ "$got" -eq 0 ] ||
    fail "exit $got: $(tail -n 3 "$WORK/full.log")"

# With room again, and then from nothing but its key and its sign state, it
# catches up and takes part.
start validator0
await_ready validator0
await 30 "validator0 has caught up" has_ended validator0 "$second"
kill_hard validator0
rm -rf "$v0/store" "$v0/datasets"
start validator0
await_ready validator0
await 30 "validator0 has caught up anew" has_ended validator0 "$second"
stop_cleanly validator3 # now its vote is needed
at=$(height_of validator1)
await 20 "blocks with validator0" reaches validator1 $((at + 3))
same_chain validator0 validator1 validator2
stop_cleanly validator0 validator1 validator2 miner0
verify_stores validator0
no_bugs
echo "exit $got when full; $found damaged pages were found"
