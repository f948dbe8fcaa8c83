#!/bin/sh
# What operators do with a store: back it up while the node runs, compact,
# verify, take it back to an earlier height, sync it anew.  Each is whole or
# not at all, refuses what it must, and never touches the sign state.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 4 1
names="validator0 validator1 validator2 validator3"
for each in $names; do
    set_key "$each" consensus propose_timeout_ms 800
    set_key "$each" consensus idle_interval_ms 200
done
start $names
await_ready $names
sender=$(potctl key show "$NET/client.key" --json | jq -r .address)
tx=$(ctl validator1 transfer --to "$sender" --amount 1 --wait --json \
    2>"$WORK/told" | jq -r .tx)
grep -q "^sent $tx: waiting for its block" "$WORK/told" ||
    fail "who breaks off would not know what was sent: $(cat "$WORK/told")"
await 20 "some blocks" reaches validator0 12
home=$NET/validator0
toml=$home/node.toml

# ends CODE TEXT COMMAND...: with that exit code, and that in what it says.
ends() {
    code=$1
    text=$2
    shift 2
    got=0
    "$@" >"$WORK/out" 2>&1 </dev/null || got=$?
    [ "$got" -eq "$code" ] ||
    fail "$*: exit $got, not $code: $(cat "$WORK/out")"
    grep -q -- "$text" "$WORK/out" ||
    fail "$*: no \"$text\": $(cat "$WORK/out")"
}

# A running node: a backup, and nothing else.
ends 0 'no sign state' potctl store backup --config "$toml" --out "$WORK/backup"
ends 1 'exists already\|not there' potctl store backup --config "$toml" --out "$WORK/backup"
ends 7 'in use by process' potctl store compact --config "$toml"
ends 7 'in use by process' potctl store verify --json --config "$toml"
[ "$(wc -l <"$WORK/out")" = 1 ] || fail "not one line: $(cat "$WORK/out")"
ends 7 'in use by process' potctl rollback --config "$toml" --to 5 --yes
ends 7 'in use by process' potctl resync --config "$toml" --yes
ends 2 'give --yes' potctl resync --config "$toml"
ends 2 'give --yes' potctl rollback --config "$toml" --to 5
for each in store/data.mdb store/tip genesis.json node.toml MANIFEST; do
    [ -f "$WORK/backup/$each" ] || fail "no $each in the backup"
done
[ -z "$(find "$WORK/backup" -name 'sign_state*' -o -name '*.key' -o -name key)" ] ||
    fail "what must not be is in the backup"

ctl validator0 debug dump --out "$WORK/dump" --log "$home/potd.log" >/dev/null
holds .height "$WORK/dump/status.json" || fail "no status"
holds .ready "$WORK/dump/readyz.json" || fail "no readyz"
grep -q '^pot_consensus_height ' "$WORK/dump/metrics.txt" || fail "no metrics"
grep -q committed "$WORK/dump/log.txt" || fail "no log"
holds '.signed_last.height > 0 and (.members | length) == 4' \
    "$WORK/dump/consensus.json" || fail "no votes"

# Two that run: the same state, unless a block comes in between.
is_same() {
    potctl debug compare "$(url_of validator0)" "$(url_of validator1)" --json |
        holds .same
}
await 20 "two nodes show one state" is_same

stop_cleanly validator0
sum=$(sha256sum <"$home/sign_state")
ends 4 'cannot' env POTCTL_NODE="$(url_of validator0)" \
    potctl debug dump --out "$WORK/dump-none"
POTCTL_NODE=$(url_of validator0) potctl debug dump --out "$WORK/dump-stopped" \
    --config "$toml" --log "$home/potd.log" >/dev/null
grep -q '^potd [0-9]' "$WORK/dump-stopped/config.txt" &&
    grep -q 'idle_interval_ms = 200' "$WORK/dump-stopped/config.txt" &&
    [ -s "$WORK/dump-stopped/not-running.txt" ] || fail "a stopped one's dump"

# Two homes that differ in one account, at one height: the key and both values.
cp -r "$home" "$WORK/other"
ends 0 'the states are the same' potctl debug compare "$home" "$WORK/other"
ends 1 'no store is in it' potctl debug compare "$home" "$WORK/none"
ends 7 'stop it, or name its URL' potctl debug compare "$home" "$NET/validator1"
cp -r "$home" "$WORK/third"
"$BUILD/tests/e2e/plant_state" "$WORK/other/store" "$sender" 7
ends 1 'compare again, as a block may have come' potctl debug compare "$home" \
    "$WORK/other"
"$BUILD/tests/e2e/plant_state" "$WORK/third/store" "$sender" 0
ends 0 "first difference is account/$sender" \
    potctl debug compare "$WORK/third" "$WORK/other"
grep -q '^next: `potctl block [0-9]*` at a third node' "$WORK/out" ||
    fail "nothing is advised: $(cat "$WORK/out")"
potctl debug compare "$WORK/third" "$WORK/other" --json >"$WORK/out"
holds '.same == false and .b.value.balance - .a.value.balance == 7' \
    "$WORK/out" || fail "not the values: $(cat "$WORK/out")"
rm -r "$WORK/other" "$WORK/third"

ends 0 'the store is right' potctl store verify --config "$toml"
ends 0 'bytes before' potctl store compact --config "$toml"
ends 0 'the store is right' potctl store verify --config "$toml"
start validator0
await_ready validator0
await 20 "validator0 follows" reaches validator0 "$(height_of validator1)"
stop_cleanly validator0
sum=$(sha256sum <"$home/sign_state")

# Where there is no store, none is made.
sed "s|^home = .*|home = \"nowhere\"|" "$toml" >"$home/typo.toml"
grep -q nowhere "$home/typo.toml" || fail "no home in $toml"
for each in "store verify" "store compact" "store backup --out $WORK/none" \
    "resync --yes" "rollback --to 1 --yes"; do
    # shellcheck disable=SC2086
    ends 1 'no store is there: check' potctl $each --config "$home/typo.toml"
done
[ ! -e "$home/nowhere" ] && [ ! -e "$WORK/none" ] || fail "a store was made"
ends 1 'needs a folder' potctl store backup --config "$toml" --out "$toml/b"
ends 3 'a folder: name the node.toml' potctl store verify --config "$home"
ends 2 'abc: must be a height' potd --config "$toml" --rollback abc
potctl store verify --config "$toml" --json |
    holds '.output[-1] == "the store is right"' || fail "no JSON"
if grep -r '/\./' "$WORK/backup/MANIFEST" "$WORK/out"; then
    fail "a path goes nowhere on its way"
fi

# A damaged store is no source of anything: each says what is damaged as verify
# does, and leaves nothing.
cp -r "$home" "$WORK/damaged"
rm -f "$WORK/damaged/store.old-"*
cp "$NET/genesis.json" "$WORK/"
bad=$WORK/damaged/node.toml
size=$(stat -c %s "$home/store/data.mdb")
seen=0
for part in 1 2 3 4 5 6 7 8 9; do
    cp "$home/store/data.mdb" "$WORK/damaged/store/data.mdb"
    head -c 3000 /dev/urandom | dd of="$WORK/damaged/store/data.mdb" bs=1 \
        seek=$((size * part / 10 + 500)) conv=notrunc 2>/dev/null
    got=0
    potctl store verify --config "$bad" >"$WORK/verify" 2>&1 || got=$?
    [ "$got" -ne 0 ] || continue # a free page
    seen=$((seen + 1))
    ends 8 'damaged\|data.mdb' potctl store backup --config "$bad" --out "$WORK/none"
    line=$(head -n 1 "$WORK/out")
    case $line in
    *data.mdb*) grep -qF "$line" "$WORK/verify" || fail "other words: $line" ;;
    esac
    ends 8 'damaged\|data.mdb' potctl store compact --config "$bad"
    left=$(ls -d "$WORK"/none* "$WORK"/damaged/store.* 2>/dev/null || true)
    [ -z "$left" ] || fail "left behind: $left"
done
[ "$seen" -ge 3 ] || fail "only $seen of 9 places were in use"
cp "$home/store/data.mdb" "$WORK/damaged/store/data.mdb"
truncate -s $((size / 2 / 4096 * 4096)) "$WORK/damaged/store/data.mdb"
ends 8 'data.mdb' potctl store backup --config "$bad" --out "$WORK/none"
ends 8 'data.mdb' potctl store compact --config "$bad"
[ ! -e "$WORK/none.new" ] || fail "a torn backup was left"

# Back to an earlier height, and from there on by sync.
ends 1 'choose a lower one' potctl rollback --config "$toml" --blocks 100000 --yes
tip=$(potctl store verify --config "$toml" | sed -n 's/^replay: \([0-9]*\) blocks.*/\1/p')
ends 0 "stands at height $((tip - 2))" potctl rollback --config "$toml" --blocks 2 --yes
rm -r "$home/store.old-1"
ends 1 'choose a lower one' potctl rollback --config "$toml" --to 100000 --yes
ends 0 'stands at height 6' potctl rollback --config "$toml" --to 6 --yes
[ -d "$home/store.old-1" ] || fail "the old store is gone"
ends 0 'the store is right' potctl store verify --config "$toml"
grep -q 'replay: 6 blocks' "$WORK/out" || fail "not at height 6"
[ "$(sha256sum <"$home/sign_state")" = "$sum" ] || fail "the sign state"
start validator0
await_ready validator0
await 20 "validator0 has caught up" reaches validator0 "$(height_of validator1)"
ctl validator0 tx "$tx" --json | holds .height || fail "no $tx"
stop_cleanly validator0

# The backup in the store's place, with the node's own sign state.
rm -rf "$home/store"
cp -r "$WORK/backup/store" "$home/store"
start validator0
await_ready validator0
await 20 "validator0 has caught up" reaches validator0 "$(height_of validator1)"
stop_cleanly validator0

# Anew.
ends 0 'syncs from the genesis' potctl resync --config "$toml" --yes
[ ! -e "$home/store" ] || fail "the store is still there"
start validator0
await_ready validator0
await 20 "validator0 has caught up" reaches validator0 "$(height_of validator1)"
stop_cleanly validator3 # its vote counts
at=$(height_of validator1)
await 20 "blocks with validator0" reaches validator1 $((at + 3))
for each in validator0 validator1 validator2; do
    get "$each" /metrics |
        grep -q '^pot_consensus_evidence_total 0' || fail "evidence at $each"
done
same_chain validator0 validator1 validator2
stop_cleanly validator0 validator1 validator2
no_bugs
echo "backed up, compacted, rolled back, restored and synced anew"
