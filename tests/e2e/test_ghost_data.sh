#!/bin/sh
# A publication whose data nobody has is accepted and waits; blocks and the
# transactions of others go on without it.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 4 1
for each in $names; do
    # Nothing but the ghost could take so long.
    set_key "$each" consensus propose_timeout_ms 8000
done
start $names
await_ready $names
await 10 "a few blocks" reaches validator0 3

chain=$(jq -r .chain_id "$NET/genesis.json")
"$BUILD/tests/e2e/bad_tx" "$POTCTL_KEY" "$chain" 0 ghost >"$WORK/tx"
curl -fsS --data-binary "@$WORK/tx" "$(url_of validator0)/v1/txs" >"$WORK/answer"
ghost=$(jq -r .tx "$WORK/answer")

to=$(jq -r '.accounts[0].address' "$NET/genesis.json")
for each in validator0 validator1 validator2; do
    ctl "$each" --key "$NET/miner0/key" transfer --to "$to" --amount 1 \
        --wait --timeout 20 --json >"$WORK/transfer" ||
        fail "a transfer at $each: $(cat "$WORK/transfer")"
done
at=$(height_of validator3)
await 15 "blocks beside the ghost" reaches validator3 $((at + 3))
get validator0 "/v1/txs/$ghost" | holds .pending ||
    fail "the ghost does not wait"
[ "$(ctl validator3 status --json | jq -r .view)" = 0 ] ||
    fail "the ghost cost a view"
same_chain $names
no_bugs
echo "a data set that nobody has stops nobody"
