#!/bin/sh
# A validator whose key another process holds.  Its votes count; without its
# signer it says so, follows, and votes again when the signer is back; and
# whatever a node asks for, one key signs one thing.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 4 1
for each in $names; do
    set_key "$each" consensus idle_interval_ms 200
    set_key "$each" consensus propose_timeout_ms 300
done
chain=$(jq -r .chain_id "$NET/genesis.json")
SIGNER=$WORK/signer
mkdir -m 700 "$SIGNER"
mv "$NET/validator1/key" "$SIGNER/key"
set_key validator1 miner enabled false # it would need a key of its own
sed -i '/^key = "key"/d' "$NET/validator1/node.toml"
sed -i "s|^\[validator\]\$|&\nsigner = \"unix:$SIGNER/socket\"|" \
    "$NET/validator1/node.toml"

start_signer() { # options...: of its own
    pot-signer --key "$SIGNER/key" --chain "$chain" --state "$SIGNER/signed" \
        --socket "$SIGNER/socket" "$@" >"$SIGNER/log" 2>&1 &
    signer=$!
    await 10 "the signer answers" grep -q " ready " "$SIGNER/log"
}

exits_with() { # status command...
    wanted=$1
    shift
    status=0
    "$@" >"$WORK/out" 2>&1 || status=$?
    [ "$status" -eq "$wanted" ] || fail "$*: exit status $status"
}

says_so() {
    curl -sS "$(url_of validator1)/readyz" | grep -q '"signer"'
}
stands() { # name: it says that there are no blocks
    curl -sS "$(url_of "$1")/readyz" | holds 'any(.reasons[];
        .code == "stalled" and (.message | test("no block for [0-9]+ s")))'
}

# ---- what it refuses to start with
exits_with 9 pot-signer --key "$SIGNER/key" --chain "$chain" \
    --state "$SIGNER/signed" --socket "$SIGNER/socket"
grep -q -- --new "$WORK/out" || fail "no remedy for a missing state"
exits_with 3 potd --config "$NET/validator1/node.toml"
grep -q "socket: not found: there is no such socket: start pot-signer first" \
    "$WORK/out" || fail "no word of the signer: $(cat "$WORK/out")"
mkdir -m 755 "$WORK/open"
exits_with 3 pot-signer --key "$SIGNER/key" --chain "$chain" \
    --state "$SIGNER/signed" --socket "$WORK/open/socket" --new
[ ! -e "$SIGNER/signed" ] || fail "a start that failed left a state"
start_signer --new
[ "$(stat -c %a "$SIGNER/socket")" = 600 ] || fail "others may ask the signer"
exits_with 7 pot-signer --key "$SIGNER/key" --chain "$chain" \
    --state "$SIGNER/signed" --socket "$SIGNER/second"

# ---- its votes count: three of four are needed
running="validator0 validator1 validator2 miner0"
start $running
await_ready $running
await 30 "blocks with its votes" reaches validator0 5
[ "$(metric validator1 pot_signer_up)" = 1 ] || fail "the signer is not up"
[ "$(metric validator1 pot_signer_signatures_total)" -gt 5 ] ||
    fail "the signer signed nothing"
! grep -q potsec -r "$NET/validator1" || fail "the key is in the node's home"

# ---- killed: the node says so and stays, then votes again
kill -9 "$signer"
wait "$signer" || true
await 10 "the node says so" says_so
ctl validator1 status | grep '^vote  *stopped: .*pot-signer does not answer' ||
    fail "potctl status: $(ctl validator1 status)"
[ "$(metric validator1 pot_signer_up)" = 0 ] || fail "the metric says up"
grep -q "this validator does not vote" "$NET/validator1/potd.log" ||
    fail "the log does not say so"
stopped=$(height_of validator0)
# Who waits is told why, and then has its block.
ctl validator0 transfer --to "$(potctl key show "$SIGNER/key")" --amount 1 \
    --wait >"$WORK/sent" 2>"$WORK/waiting" &
waiting=$!
# Those that vote cannot see it, and see that there are no blocks.
await 30 "the others say that the chain stands" stands validator0
await 30 "so does who is no validator" stands miner0
ctl validator0 status | grep '^vote  *voting' ||
    fail "potctl status: $(ctl validator0 status)"
[ "$(metric validator0 pot_consensus_latest_block_age_seconds)" -ge 5 ] ||
    fail "no age in the metrics"
ctl validator0 status --json |
    holds '.block_age_ms >= 5000 and (.ready | not)' || fail "no age"
await 30 "who waits is told" grep -q 'still waiting' "$WORK/waiting"
exits_with 9 pot-signer --key "$SIGNER/key" --chain other \
    --state "$SIGNER/signed" --socket "$SIGNER/second"
start_signer
await 30 "it votes again" reaches validator0 $((stopped + 5))
await_ready validator0 validator1
wait "$waiting" || fail "the transfer: $(cat "$WORK/waiting")"
grep -q 'still waiting: the node is not ready: no block for' "$WORK/waiting" ||
    fail "who waits was not told: $(cat "$WORK/waiting")"

# Asks the signer as a second node would.
cat >"$WORK/ask.py" <<'ASK'
import socket, struct, sys, time
state = open(sys.argv[2], "rb").read()
chain = state[8 + 32:8 + 64]  # the label of a slot: key, chain
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
a, b = b"a" * 32, b"b" * 32

def vote(phase, height, view, digest):
    body = chain + struct.pack("<BQQ", phase, height, view) + digest
    s.sendall(struct.pack("<IB", 1 + len(body), 1) + body)
    answer = b""
    while len(answer) < 65:
        got = s.recv(65 - len(answer))
        assert got, "the signer hung up"
        answer += got
    return answer

def contradict(height):
    first = vote(2, height, 0, a)
    assert first[0] == 0 and first == vote(2, height, 0, a)
    assert vote(2, height, 0, b)[0] == 4 and not any(vote(2, height, 0, b)[1:])
    assert vote(3, height, 0, b)[0] == 4
    assert vote(2, height - 1, 0, a)[0] == 3

def measure(height):
    waits = []
    for i in range(300):
        begun = time.monotonic()
        assert vote(2, height + i, 0, a)[0] == 0
        waits.append(time.monotonic() - begun)
    waits.sort()
    print("a vote: %d us, one in a hundred above %d" %
          (1e6 * waits[150], 1e6 * waits[296]))

{"contradict": contradict, "measure": measure}[sys.argv[3]](int(sys.argv[4]))
ASK
ask() { python3 "$WORK/ask.py" "$SIGNER/socket" "$SIGNER/signed" "$@"; }

# ---- a second node has a vote signed for a block of its own, a few heights
# ahead: the first gets none before and none against it, and goes on after
start validator3
await_ready validator3
ahead=$(($(height_of validator0) + 20))
ask contradict "$ahead" || fail "a contradiction"
await 30 "the node is refused" \
    grep -q "it refused to sign" "$NET/validator1/potd.log"
await 30 "the height is past" reaches validator0 $((ahead + 3))
stop_cleanly validator3
alone=$(height_of validator0)
await 30 "its votes count again" reaches validator0 $((alone + 3))
[ "$(metric validator1 pot_signer_refused_total)" -gt 0 ] ||
    fail "no refusal was counted"
for each in $running; do
    [ "$(metric "$each" pot_consensus_evidence_total)" = 0 ] ||
        fail "$each saw a key sign twice"
done
ask measure $((1 << 40)) || fail "votes that nothing stands against"
kill -TERM "$signer"
wait "$signer" || fail "the signer: exit status $?"
[ ! -e "$SIGNER/socket" ] || fail "its socket is left"
start_signer
kill -TERM "$signer"
wait "$signer" || fail "the signer: exit status $?"
same_chain $running
stop_cleanly $running
no_bugs
