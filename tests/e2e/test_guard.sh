#!/bin/sh
# One key, one word: a copied home, a restored backup, a wiped disk under
# load, a lost sign state.  None of them signs against what the key has signed.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 4 0
for each in $names; do
    set_key "$each" consensus idle_interval_ms 200
done
start $names
await_ready $names
await 20 "the first blocks" reaches validator0 5

no_evidence() { # names...
    for each in "$@"; do
        get "$each" /metrics >"$WORK/metrics"
        grep -q '^pot_consensus_evidence_total 0$' "$WORK/metrics" ||
            fail "$each saw a key sign twice"
    done
    if grep -h "contradicted itself" "$NET"/*/potd.log; then
        fail "a key signed twice"
    fi
}

grows() { # name blocks: and it is not only said
    grow_at=$(height_of "$1")
    await 30 "$2 blocks more on $1" reaches "$1" $((grow_at + $2))
}

is_voting() { [ "$(ctl "$1" status --json | jq -r .voting)" = true ]; }

# Votes that count: with a third one gone, nothing stands without this one.
is_needed() { # name other
    kill -STOP "$(cat "$NET/$2/pid")"
    grows "$1" 3
    kill -CONT "$(cat "$NET/$2/pid")"
}

# ---- a copy of a running validator's home, elsewhere
copy_home validator0
rm -r "$WORK/copies/validator0/store"
copy_is_refused validator0
await_ready validator0
is_needed validator0 validator3
no_evidence $names
echo "a copied home: refused"

# ---- an old backup of a home, put back
stop_cleanly validator1
cp -r "$NET/validator1" "$WORK/backup"
start validator1
await_ready validator1
grows validator1 20
stop_cleanly validator1
mv "$NET/validator1" "$WORK/newer"
cp -r "$WORK/backup" "$NET/validator1"
start validator1
await 30 "validator1 finds its sign state old" \
    grep -q "no votes until the chain is past" "$NET/validator1/potd.log"
await 60 "validator1 votes again" is_voting validator1
is_needed validator1 validator3
no_evidence $names
echo "a restored backup: silent, then back"

# ---- a wiped disk, under load
transfers() {
    address=$(potctl key show "$NET/validator3/key")
    while [ ! -e "$WORK/enough" ]; do
        ctl validator0 transfer "$address" 1 --wait >/dev/null 2>&1 || true
    done
}
transfers &
load=$!
grows validator2 5
kill_hard validator2
rm -r "$NET/validator2/store" "$NET/validator2/sign_state" \
    "$NET/validator2/datasets"
: >"$NET/validator2/potd.log"
potctl recover --config "$NET/validator2/node.toml" >/dev/null
start validator2
await 60 "validator2 votes again" is_voting validator2
grep -q "votes from now on" "$NET/validator2/potd.log" || fail "no word of it"
touch "$WORK/enough"
wait "$load"
is_needed validator2 validator3
no_evidence $names
echo "a wiped disk: silent, then back"

# ---- a lost sign state beside a store with blocks
stop_cleanly validator2
rm "$NET/validator2/sign_state"
status=0
potd --config "$NET/validator2/node.toml" >"$WORK/lost.log" 2>&1 || status=$?
[ "$status" -eq 9 ] || fail "without its sign state: $status"
grep -q "run .potctl recover" "$WORK/lost.log" || fail "no remedy was named"
potctl recover --config "$NET/validator2/node.toml" >"$WORK/recover.log"
grep -q "store is whole, at height .*: kept" "$WORK/recover.log" ||
    fail "the store was not kept"
start validator2
await 60 "validator2 votes again" is_voting validator2
is_needed validator2 validator3 # and is on record as one that votes
no_evidence $names

# ---- and by no other way than a word that is given
stop_cleanly validator2
status=0
potctl unsafe-vote-now --yes --config "$NET/validator2/node.toml" \
    >"$WORK/unsafe.log" 2>&1 || status=$?
[ "$status" -eq 1 ] && grep -q "is not recovering" "$WORK/unsafe.log" ||
    fail "a word for one that needs none: $status, $(cat "$WORK/unsafe.log")"
potctl recover --config "$NET/validator2/node.toml" >/dev/null
if echo no | potctl unsafe-vote-now --config "$NET/validator2/node.toml" \
    2>/dev/null; then
    fail "it was not confirmed"
fi
: >"$NET/validator2/potd.log"
potctl unsafe-vote-now --yes --config "$NET/validator2/node.toml" >/dev/null
start validator2
await 30 "validator2 votes at once" is_voting validator2
grep -q "no votes until" "$NET/validator2/potd.log" && fail "it waited"
grows validator2 3

# ---- two of four: nothing can stand, and the others say why
stop_cleanly validator2 validator3
for each in validator2 validator3; do
    potctl recover --config "$NET/$each/node.toml" >/dev/null
done
code=0
potctl testnet up --dir "$NET" --detach --timeout 7s >"$WORK/up" 2>&1 || code=$?
[ "$code" = 5 ] && grep -q "^waiting for validator2: no votes until" "$WORK/up" &&
    grep -q "validator2 was not ready in time: no votes until" "$WORK/up" ||
    fail "testnet up does not say why: exit $code, $(cat "$WORK/up")"
start validator2 validator3
says_why() {
    curl -sS "$(url_of validator0)/readyz" |
        holds 'any(.reasons[]; .code == "validators" and
            (.message | contains("4 of 4 validators in reach, but 2 of them")))'
}
await 30 "validator0 says who does not vote" says_why
stop_cleanly validator2 validator3
for each in validator2 validator3; do
    potctl unsafe-vote-now --yes --config "$NET/$each/node.toml" >/dev/null
done
start validator2 validator3
await_ready $names
grows validator0 3

same_chain $names
stop_cleanly $names
verify_stores validator1 validator2
no_bugs
