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

# The store's sync hangs: the block is not told of, though it is decided.
faults validator0 'journal sync hang'
at=$(height_of validator1)
await 20 "blocks of the others" reaches validator1 $((at + 2))
at=$(height_of validator0)
sender=$(potctl key show "$NET/client.key" --json | jq -r .address)
tx=$(ctl validator1 transfer --to "$sender" --amount 1 --wait --json | jq -r .tx)
ctl validator1 tx "$tx" --json | holds .height || fail "no height"
[ "$(height_of validator0)" -eq "$at" ] || fail "a block without its sync"
ctl validator0 tx "$tx" --json 2>/dev/null | holds .height &&
    fail "a transaction without its block's sync"
faults validator0
await 20 "validator0 has caught up" reaches validator0 "$(height_of validator1)"
ctl validator0 tx "$tx" --json | holds .height || fail "no height"
no_evidence $names
same_chain $names
stop_cleanly $names

# And in the order of its calls: LMDB's pages are synced before the meta page
# is written, which is synced itself; a record of the sign state is synced
# before the next is written, and so is a block in the journal.
awk '
    { file = $2; sub(".*/", "", file); call = $1 }
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
    file == "journal" && call == "write" {
        if (loose) { print "a block behind an unsynced one: line " NR; bad = 1 }
        loose = 1
    }
    file == "journal" && call == "sync" { loose = 0; blocks++ }
    END {
        if (commits < 2 || blocks < 5 || records < 5) {
            print "too few calls"
            bad = 1
        }
        print commits " commits, " blocks " blocks, " records " records"
        exit bad
    }' "$WORK/trace" || fail "the order of writes"
no_bugs
