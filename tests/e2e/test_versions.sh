#!/bin/sh
# A rolling restart with a build that speaks the next version of the protocol:
# the two refuse each other by its number, both say so, and while neither has
# a quorum there is no block.  Nothing diverges: at the end there is one chain.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 4 0
start $names
await_ready $names
await 30 "the first blocks" reaches validator0 2

# It looks for pot-worker beside itself.
mkdir "$WORK/next"
cp "$BUILD/tests/e2e/potd_next" "$BUILD/pot-worker" "$WORK/next"
restart_as_next() { # name: its log from here on
    kill -TERM "$(cat "$NET/$1/pid")"
    wait "$(cat "$NET/$1/pid")" || fail "$1: exit status $?"
    mv "$NET/$1/potd.log" "$NET/$1/potd.old.log"
    POTD=$WORK/next/potd_next start "$1"
}
says_version() { grep -q 'another protocol version' "$NET/$1/potd.log"; }
go_on() { # blocks name
    goal=$(($(height_of "$2") + $1))
    await 60 "blocks go on at $2" reaches "$2" "$goal"
}

# One of four: the others go on without it, and both sides say why.
restart_as_next validator3
await 30 "the new one says why" says_version validator3
await 30 "an old one says why" says_version validator0
go_on 3 validator0
has_no_peer() { [ "$(ctl "$1" status --json | jq -r .peers)" -eq 0 ]; }
await 10 "the new one is alone" has_no_peer validator3

# Two and two: no quorum on either side, and no block.
restart_as_next validator2
await 30 "the second one says why" says_version validator2
stands_still() {
    a=$(height_of validator0)
    b=$(height_of validator2)
    until=$(($(now_ms) + 4000))
    while [ "$(now_ms)" -lt "$until" ]; do
        [ "$(height_of validator0)" -eq "$a" ] || return 1
        [ "$(height_of validator2)" -eq "$b" ] || return 1
        sleep 0.2
    done
}
await 30 "neither half commits anything" stands_still

# Three: the new version has a quorum, and takes up where the old one ended.
old=$(height_of validator0)
restart_as_next validator1
await 60 "blocks of the new version" reaches validator1 $((old + 3))
[ "$(height_of validator0)" -eq "$old" ] ||
    fail "the last old one took blocks of the new version"
restart_as_next validator0
top=$(height_of validator1)
for each in $names; do
    await 60 "$each is at the top" reaches "$each" "$top"
done
same_chain $names
stop_cleanly $names
no_bugs
echo "versions do not mix, and nothing diverged"
