#!/bin/sh
# Damage that appears beneath a running node: a damaged record is an error
# (500), never an answer; the node says so, votes no more, and what is whole
# can be read on.  A file cut short ends it with exit code 8 and a line that
# says why.  Synced anew it takes part again.
. "${srcdir:-.}/tests/e2e/lib.sh"
. "$SOURCE/tests/e2e/disk_lib.sh"
init_net 4 1
names="validator0 validator1 validator2 validator3"
for each in $names; do
    set_key "$each" consensus propose_timeout_ms 800
    set_key "$each" consensus idle_interval_ms 200
done
start $names
await_ready $names
await 20 "some blocks" reaches validator0 7

# spoil NAME HEX: every place in its store where these bytes stand gets others.
spoil() {
    python3 - "$NET/$1/store/data.mdb" "$2" <<'END'
import sys
path, what = sys.argv[1], bytes.fromhex(sys.argv[2])
with open(path, "r+b") as f:
    data = f.read()
    at = data.find(what)
    while at >= 0:
        f.seek(at)
        f.write(bytes(b ^ 0x20 for b in what[:8]))
        at = data.find(what, at + 1)
END
}

# shows NAME HEX PATH: damaged, and found.  The node stands still meanwhile,
# as a commit moves pages; one that was underway still writes what was whole.
shows() {
    kill -STOP "$(cat "$NET/$1/pid")"
    spoil "$1" "$2"
    kill -CONT "$(cat "$NET/$1/pid")"
    [ "$(curl -sS -o "$WORK/said" -w '%{http_code}' "$(url_of "$1")$3")" = 500 ]
}

# A block's own parent hash stands in its header: block 3 is damaged there.
parent=$(ctl validator0 block 3 --json | jq -r .parent)
await 10 "the damaged block" shows validator0 "$parent" /v1/blocks/3
says store_damaged validator0 500 GET /v1/blocks/3
await 10 "validator0 says so" has_reason validator0 store_corrupt
ready_json validator0 | grep -q '`potctl resync' || fail "no remedy in /readyz"
silent_while_others_go_on validator0 validator1 # at once
says store_damaged validator0 500 GET /v1/blocks/3
says '' validator0 200 GET /v1/blocks/6
says '' validator0 200 GET /v1/status
[ "$(metric validator0 'pot_store_state{state="store_corrupt"}')" = 1 ] ||
    fail "pot_store_state"
head -c 100 /dev/zero >"$WORK/tx"
says store_corrupt validator0 503 POST /v1/txs "$WORK/tx"
kill -TERM "$(cat "$NET/validator0/pid")"
got=0
wait "$(cat "$NET/validator0/pid")" || got=$?
[ "$got" -eq 8 ] || fail "exit $got, not 8"

# A record of the state: an account's, found by its moniker, which is read to
# answer.  Whatever else needs it cannot go on: 500, or exit code 8.
moniker=$(printf validator1 | od -An -tx1 | tr -d ' \n')
address=$(get validator1 /v1/validators |
    jq -r '.validators[] | select(.moniker == "validator1") | .address')
await 10 "the damaged account" shows validator1 "$moniker" \
    "/v1/accounts/$address"
says store_damaged validator1 500 GET "/v1/accounts/$address"
says store_damaged validator1 500 GET /v1/validators
await 10 "validator1 says so" has_reason validator1 store_corrupt
kill -TERM "$(cat "$NET/validator1/pid")"
got=0
wait "$(cat "$NET/validator1/pid")" || got=$?
[ "$got" -eq 8 ] || fail "exit $got, not 8"

# A file cut short beneath a running node.
truncate -s 8192 "$NET/validator2/store/data.mdb"
curl -sS "$(url_of validator2)/v1/blocks/2" >/dev/null 2>&1 || true
has_died() { ! kill -0 "$(cat "$NET/$1/pid")" 2>/dev/null; }
await 20 "validator2 has ended" has_died validator2
got=0
wait "$(cat "$NET/validator2/pid")" || got=$?
[ "$got" -eq 8 ] || fail "exit $got, not 8"
grep -q 'potd: .*cut short' "$NET/validator2/potd.log" || fail "no last word"

# From nothing but key and sign state they come back.
for each in validator0 validator1 validator2; do
    rm -rf "$NET/$each/store"
done
start validator0 validator1 validator2
await_ready $names
at=$(height_of validator3)
await 20 "new blocks" reaches validator3 $((at + 3))
no_evidence $names
same_chain $names
stop_cleanly $names
no_bugs
echo "damage was found, told, and not served"
