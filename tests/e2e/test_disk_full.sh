#!/bin/sh
# A disk that fills up: the node stops voting, stays readable, says so, takes
# no transactions, and takes part again once there is room, without a restart.
# One node first, then all of them at once, then a small disk of its own.
. "${srcdir:-.}/tests/e2e/lib.sh"
. "$SOURCE/tests/e2e/disk_lib.sh"
init_net 4 1
names="validator0 validator1 validator2 validator3"
for each in $names; do
    set_key "$each" consensus propose_timeout_ms 800
    set_key "$each" consensus idle_interval_ms 200
done

# A disk of 40 MiB beneath one of them, where that may be made.
small=$NET/validator2
cp -r "$small" "$WORK/keep"
if mount -t tmpfs -o size=40m none "$small" 2>/dev/null; then
    SMALL_DISK=$small
    cp -r "$WORK/keep/." "$small"
    set_key validator2 storage min_free_mb 8
fi
for each in $names; do
    start_faulty "$each"
done
await_ready $names
await 20 "the first block, for all to read" reaches validator0 1

# One is full.
head -c 100 /dev/zero >"$WORK/tx"
faults validator0 'store/ write full' 'sign_state write ENOSPC'
await 20 "validator0 is full" has_reason validator0 disk_full
[ "$(metric validator0 pot_store_writable)" = 0 ] || fail "pot_store_writable"
[ "$(metric validator0 'pot_store_state{state="disk_full"}')" = 1 ] ||
    fail "pot_store_state"
[ "$(metric validator0 pot_store_disk_free_bytes)" = 0 ] ||
    fail "pot_store_disk_free_bytes"
says '' validator0 503 GET /readyz
says '' validator0 200 GET /livez
says disk_full validator0 503 POST /v1/txs "$WORK/tx"
ctl validator0 status | grep '^not ready .*the disk has no room left' ||
    fail "potctl status does not say it"
ctl validator0 status | grep '^vote  *stopped: nothing is stored or signed: ' ||
    fail "potctl status does not say that it does not vote"
code=0
ctl validator0 status --check --json >"$WORK/status" 2>"$WORK/err" || code=$?
[ "$code" = 11 ] || fail "status --check --json: exit $code"
holds '.ready == false and .reasons[0].code == "disk_full" and
    .vote == "stopped" and .voting == false' "$WORK/status" ||
    fail "status --check --json: $(cat "$WORK/status")"
ctl validator0 status --check --quiet >"$WORK/status" 2>"$WORK/err" || code=$?
[ "$code" = 11 ] && [ ! -s "$WORK/status" ] && grep -q 'no room' "$WORK/err" ||
    fail "status --check --quiet: exit $code, $(cat "$WORK/status" "$WORK/err")"
at=$(height_of validator0)
says '' validator0 200 GET "/v1/blocks/$at"
silent_while_others_go_on validator0 validator1
[ "$(height_of validator0)" -eq "$at" ] || fail "it stored blocks"
faults validator0
await_ready validator0
await 20 "validator0 has caught up" reaches validator0 "$(height_of validator1)"
[ "$(grep -c 'fault: nothing is stored' "$NET/validator0/potd.log")" = 1 ] ||
    fail "the log does not say it once"
grep -q 'cured: it stores and signs again' "$NET/validator0/potd.log" ||
    fail "the log does not say that it is cured"

# Its vote counts again: without validator3, which is missed, it is needed.
away=$(ctl validator3 status --json | jq -r .validator)
stop_cleanly validator3
misses() { ctl validator0 status | grep "^out of reach  *$away"; }
await 20 "validator3 is missed" misses
ctl validator0 status --check --json |
    holds --arg away "$away" '.ready and .validators_in_reach == 3 and
        .validators_missing == [$away]' ||
    fail "status --json does not say who is missing"
at=$(height_of validator1)
await 20 "blocks with validator0" reaches validator1 $((at + 3))
start_faulty validator3
await_ready validator3

# All are full at once: nothing is decided, and then it goes on.
sender=$(potctl key show "$NET/client.key" --json | jq -r .address)
for each in $names; do
    faults "$each" 'store/ write full'
done
for each in $names; do
    await 20 "$each is full" has_reason "$each" disk_full
done
at=$(height_of validator1)
says disk_full validator1 503 POST /v1/txs "$WORK/tx"
for each in $names; do
    faults "$each"
done
await_ready $names
ctl validator1 transfer --to "$sender" --amount 1 --wait --json >/dev/null
[ "$(height_of validator1)" -gt "$at" ] || fail "no block since"

# A disk that is really full, below its limit; it may be emptied by hand.
if [ -n "${SMALL_DISK:-}" ]; then
    head -c 100M /dev/zero >"$small/filler" 2>/dev/null || true
    await 20 "validator2 is full" has_reason validator2 disk_full
    silent_while_others_go_on validator2 validator1
    rm "$small/filler"
    await_ready validator2
    await 20 "validator2 has caught up" reaches validator2 "$(height_of validator1)"
fi

# A limit that the disk does not meet counts as full, until it is lowered.
stop_cleanly validator3
set_key validator3 storage min_free_mb 16777216
start_faulty validator3
await 20 "validator3 has too little" has_reason validator3 disk_full
ctl validator3 status | grep 'storage.min_free_mb = 16777216' ||
    fail "the limit is not named"
sed -i 's/^min_free_mb = .*/min_free_mb = 8/' "$NET/validator3/node.toml"
kill -HUP "$(cat "$NET/validator3/pid")"
await_ready validator3
grep -q 'config re-read.* min_free_mb=8 ' "$NET/validator3/potd.log" ||
    fail "the log does not say the new limit"

no_evidence $names
same_chain $names
stop_cleanly $names
verify_stores validator0 validator3
no_bugs
echo "full and well again${SMALL_DISK:+, on a small disk too}"
