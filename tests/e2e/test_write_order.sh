#!/bin/sh
# What must be on disk before what: a vote's record before the vote leaves, a
# block's pages before the page that refers to them, the block before anybody
# is told of it.  A disk that does not finish its sync shows it: as long as it
# hangs, nothing that stands on it happens.
. "${srcdir:-.}/tests/e2e/lib.sh"
. "$SOURCE/tests/e2e/disk_lib.sh"
init_net 4 1
names="validator0 validator1 validator2 validator3"
for each in $names; do
    set_key "$each" consensus propose_timeout_ms 800
    set_key "$each" consensus idle_interval_ms 200
done
TRACE=$WORK/trace
start_faulty validator0
TRACE=
start validator1 validator2 validator3
await_ready $names
await 20 "some blocks" reaches validator0 5

# The sign state's sync hangs: no vote leaves, while blocks come by sync.
faults validator0 'sign_state sync hang'
at=$(height_of validator0) # it has voted for no later one than the next
await 20 "blocks of the others" reaches validator1 $((at + 2))
votes_of() { # how many of the blocks from $1 on validator0 signed
    votes_node=$(ctl validator0 status --json | jq -r .node)
    votes_at=$1
    votes_count=0
    votes_top=$(height_of validator1) # the chain grows meanwhile
    while [ "$votes_at" -le "$votes_top" ]; do
        ctl validator1 block "$votes_at" --json |
            holds --arg node "$votes_node" \
                '.commit.signers | index($node)' &&
            votes_count=$((votes_count + 1))
        votes_at=$((votes_at + 1))
    done
    echo "$votes_count"
}
silent_while_others_go_on validator0 validator1
[ "$(votes_of $((at + 2)))" -eq 0 ] || fail "a vote left before its record"
faults validator0
at=$(height_of validator1)
sent=$(sent_consensus validator0)
sends_again() { [ "$(sent_consensus validator0)" != "$sent" ]; }
await 20 "votes of validator0" sends_again

# The journal hangs.  A block is told of before it is synced, as the sign
# state has it, but not many.
faults validator0 'journal any hang'
stands() { # since the last look, though the others go on
    stands_at=$(height_of validator0)
    await 20 "blocks of the others" reaches validator1 \
        $(($(height_of validator1) + 3))
    [ "$(height_of validator0)" -eq "$stands_at" ]
}
await 20 "validator0 waits for its disk" stands
says '' validator0 200 GET "/v1/blocks/latest"
at=$(height_of validator0)
sender=$(potctl key show "$NET/client.key" --json | jq -r .address)
tx=$(ctl validator1 transfer --to "$sender" --amount 1 --wait --json | jq -r .tx)
ctl validator1 tx "$tx" --json | holds .height || fail "no height"

# It dies before the disk takes them: what it told of comes back, but for the
# block of its last commit, which the others have.
kill_hard validator0
faults validator0
TRACE=$WORK/trace2
start_faulty validator0
TRACE=
await 30 "validator0 answers" height_of validator0
[ "$(height_of validator0)" -ge $((at - 1)) ] || fail "it has lost blocks"
grep -q 'blocks taken from the sign state' "$NET/validator0/potd.log" ||
    fail "from where?"
await_ready validator0
await 20 "validator0 has caught up" reaches validator0 "$(height_of validator1)"
ctl validator0 tx "$tx" --json | holds .height || fail "no height"
no_evidence $names
same_chain $names
stop_cleanly $names

# And in the order of its calls: LMDB's pages are synced before the meta page
# is written, which is synced itself; a record of the sign state is synced
# before the next is written.
awk '
    { file = $2; sub(".*/", "", file); call = $1 }
    FNR == 1 { dirty = 0; unsynced = 0 } # another process
    file == "data.mdb" && call == "write" { dirty = 1 }
    file == "data.mdb" && call == "sync" { dirty = 0 }
    file == "data.mdb" && call == "write+sync" {
        if (dirty) { print "a meta page before its pages: line " NR; bad = 1 }
        commits++
    }
    file == "sign_state" && call == "write" {
        if (unsynced) { print "a record over an unsynced one: line " NR; bad = 1 }
        unsynced = 1
    }
    file == "sign_state" && call == "sync" { unsynced = 0; records++ }
    file == "journal" && call == "sync" { syncs++ }
    END {
        if (commits < 2 || syncs < 2 || records < 5) {
            print "too few calls"
            bad = 1
        }
        print commits " commits, " syncs " syncs, " records " records"
        exit bad
    }' "$WORK/trace" "$WORK/trace2" || fail "the order of writes"
no_bugs
