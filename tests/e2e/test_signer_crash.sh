#!/bin/sh
# A validator whose key is with pot-signer dies at each step of writing its
# sign state, after the signer has signed and before what was signed is in a
# record: it goes on, as the signer signs the same once more.
. "${srcdir:-.}/tests/e2e/lib.sh"
. "$SOURCE/tests/e2e/disk_lib.sh"
init_net 1 0
set_key validator0 consensus idle_interval_ms 100
chain=$(jq -r .chain_id "$NET/genesis.json")
SIGNER=$WORK/signer
mkdir -m 700 "$SIGNER"
mv "$NET/validator0/key" "$SIGNER/key"
set_key validator0 miner enabled false
sed -i '/^key = "key"/d
    s|^\[validator\]$|&\nsigner = "unix:'"$SIGNER"'/socket"|' \
    "$NET/validator0/node.toml"
pot-signer --key "$SIGNER/key" --chain "$chain" --state "$SIGNER/signed" \
    --socket "$SIGNER/socket" --new >>"$SIGNER/log" 2>&1 &
signer=$!
await 10 "the signer listens" test -S "$SIGNER/socket"

has_died() { ! kill -0 "$(cat "$NET/validator0/pid")" 2>/dev/null; }
for step in 9 10 11; do
    faults validator0 "sign_state any kill@$step"
    start_faulty validator0
    await 20 "it dies at step $step" has_died
    faults validator0
    start_faulty validator0
    await_ready validator0
    at=$(height_of validator0)
    await 20 "blocks after step $step" reaches validator0 $((at + 3))
    stop_cleanly validator0
done
kill "$signer"
no_bugs
echo "it went on after each of three steps"
