#!/bin/sh
# A disk that fails writes and syncs: the node signs nothing more, stays
# readable, tries nothing on the file that failed, and takes part again once
# the disk is mended.  A disk that hangs holds up nobody but its node.
. "${srcdir:-.}/tests/e2e/lib.sh"
. "$SOURCE/tests/e2e/disk_lib.sh"
init_net 4 1
names="validator0 validator1 validator2 validator3"
for each in $names; do
    set_key "$each" consensus propose_timeout_ms 800
    set_key "$each" consensus idle_interval_ms 200
    start_faulty "$each"
done
await_ready $names
await 20 "the first block, for all to read" reaches validator0 1
head -c 100 /dev/zero >"$WORK/tx"

log_says() { grep -q "$2" "$NET/$1/potd.log"; }

# fails_and_returns NAME OTHER RULE...
fails_and_returns() {
    failing=$1
    other=$2
    shift 2
    : >"$NET/$failing/potd.log"
    faults "$failing" "$@"
    await 20 "$failing says so ($*)" has_reason "$failing" disk_failed
    [ "$(metric "$failing" pot_store_writable)" = 0 ] || fail "writable"
    says disk_failed "$failing" 503 POST /v1/txs "$WORK/tx"
    says '' "$failing" 200 GET "/v1/blocks/latest"
    silent_while_others_go_on "$failing" "$other"
    faults "$failing"
    await_ready "$failing"
    log_says "$failing" 'cured: it stores and signs again' || fail "no word"
    await 20 "$failing has caught up" reaches "$failing" "$(height_of "$other")"
}

inode_of() { stat -c %i "$NET/$1/sign_state"; }

# A failed sync of the sign state: what was written is not believed, a new
# file takes its place.
before=$(inode_of validator0)
fails_and_returns validator0 validator1 'sign_state sync EIO'
[ "$(inode_of validator0)" != "$before" ] || fail "the same sign state"

# As long as all syncs fail it is tried again, and not cured.
faults validator1 'validator1 sync EIO'
await 20 "validator1 says so" has_reason validator1 disk_failed
await 20 "a first try" log_says validator1 'not cured yet'
has_reason validator1 disk_failed >/dev/null || fail "cured by what?"
faults validator1
await_ready validator1

# The store: the journal; and LMDB's pages and its meta pages, which it writes
# synced, when it gets what was in the journal.
fails_and_returns validator2 validator1 'journal sync EIO'
fails_and_returns validator2 validator1 'data.mdb write EIO' 'data.mdb sync EIO'

# Every vote counts again.
stop_cleanly validator3
at=$(height_of validator1)
await 20 "blocks with all three" reaches validator1 $((at + 3))
start_faulty validator3
await_ready validator3

# A disk that does not answer at all.
faults validator0 'store/ any hang' 'sign_state any hang'
at=$(height_of validator1)
await 30 "blocks beside a hanging disk" reaches validator1 $((at + 6))
faults validator0
await 20 "validator0 has caught up" reaches validator0 "$(height_of validator1)"

# And one that is a hundred times slower than it was.
faults validator0 'store/ sync sleep=100' 'sign_state sync sleep=100'
at=$(height_of validator1)
await 30 "blocks beside a slow disk" reaches validator1 $((at + 6))
await 30 "validator0 follows" reaches validator0 $((at + 6))
faults validator0
no_evidence $names
same_chain $names
stop_cleanly $names
verify_stores $names

# blameless CODE TEXT RULE OPTIONS...: the store that a replay makes cannot be
# written, and nothing is said against the node's own.
blameless() {
    code=$1
    text=$2
    faults validator0 "$3"
    shift 3
    got=0
    LD_PRELOAD=$BUILD/tests/e2e/faulty_disk.so POT_FAULTY_HOME=$NET/validator0 \
        POT_FAULTY_DISK=$NET/validator0/faults timeout 60 "${POTD:-potd}" \
        --config "$NET/validator0/node.toml" "$@" >"$WORK/out" 2>&1 || got=$?
    faults validator0
    [ "$got" -eq "$code" ] || fail "exit $got, not $code: $(cat "$WORK/out")"
    grep -q -- "$text" "$WORK/out" || fail "no \"$text\": $(cat "$WORK/out")"
    ! grep 'BAD\|resync' "$WORK/out" || fail "the store is blamed"
}
own=$NET/validator0/verify-store.tmp
for file in verify-store.tmp verify-store.tmp/data.mdb verify-store.tmp/journal; do
    blameless 10 'must have as much room' "$file any ENOSPC" --verify-store
    blameless 1 '^not finished: nothing wrong' "$file any EIO" --verify-store
    [ ! -e "$own" ] || fail "$own was left"
done
blameless 10 'no space\|No space' 'store.rollback any ENOSPC' --rollback -1
: >"$own"
blameless 1 'a file, and no folder: remove it' 'none any EIO' --verify-store
grep -q '^not finished' "$WORK/out" || fail "other words: $(cat "$WORK/out")"
rm "$own"
verify_stores validator0
no_bugs
echo "failed writes and syncs, and none was believed"
