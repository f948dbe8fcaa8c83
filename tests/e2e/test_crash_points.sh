#!/bin/sh
# A node dies at its n-th write or sync, for n after n: before it, with half
# of the write done, or as when the power fails: what was not synced is undone.
# Whatever was acknowledged is there after the restart, and it takes part
# again, alone and among four, where nobody ever sees two votes of it.
#
#   POT_CRASH_POINTS=60   so many points of the lone node, in all three ways
. "${srcdir:-.}/tests/e2e/lib.sh"
. "$SOURCE/tests/e2e/disk_lib.sh"

has_died() { ! kill -0 "$(cat "$NET/$1/pid")" 2>/dev/null; }

prepare() { # validators
    init_net "$1" 1
    for each in $names; do
        set_key "$each" consensus propose_timeout_ms 800
        set_key "$each" consensus idle_interval_ms 100
    done
    sender=$(potctl key show "$NET/client.key" --json | jq -r .address)
}

# die_at NAME WAY N: from its start on, with a transfer on its way.
die_at() {
    faults "$1" "* any $2@$3"
    start_faulty "$1"
    acknowledged=$(ctl "$1" --timeout 3 transfer --to "$sender" --amount 1 \
        --wait --json 2>/dev/null | jq -r 'select(.height) | .tx') || true
    await 20 "$1 dies at its call $3 ($2)" has_died "$1"
    wait "$(cat "$NET/$1/pid")" 2>/dev/null || true
    faults "$1"
    [ -z "$acknowledged" ] || echo "$acknowledged" >>"$WORK/acknowledged"
}

keeps_acknowledged() {
    while read -r tx; do
        ctl "$1" tx "$tx" --json >/dev/null || fail "lost: $tx"
    done <"$WORK/acknowledged"
}

prepare 1
: >"$WORK/acknowledged"
if [ -n "${POT_CRASH_POINTS:-}" ]; then
    points=$(seq 2 "$POT_CRASH_POINTS")
else
    points="2 3 4 5 7 8 10 13 19 32 45 58 71"
fi
deaths=0
for n in $points; do # the first write is the lock's
    case $n in
    *[147]) ways=kill ;;
    *[0258]) ways=power ;;
    *) ways=torn ;;
    esac
    [ -z "${POT_CRASH_POINTS:-}" ] || ways='kill torn power'
    for way in $ways; do
        die_at validator0 "$way" "$n"
        deaths=$((deaths + 1))
    done
done
start_faulty validator0
await_ready validator0
ctl validator0 transfer --to "$sender" --amount 1 --wait --json >/dev/null
keeps_acknowledged validator0
kept=$(wc -l <"$WORK/acknowledged")
stop_cleanly validator0
verify_stores validator0
no_bugs
rm -rf "$NET"

# Among four, while the others go on.
prepare 4
: >"$WORK/acknowledged"
names="validator0 validator1 validator2 validator3"
start validator1 validator2 validator3
for way in kill torn power; do
    for n in 5 14 33; do
        die_at validator0 "$way" "$n"
        deaths=$((deaths + 1))
    done
done
start_faulty validator0
await_ready $names
stop_cleanly validator3 # its vote is needed now
at=$(height_of validator1)
await 20 "blocks with validator0" reaches validator1 $((at + 3))
keeps_acknowledged validator0
no_evidence validator0 validator1 validator2
same_chain validator0 validator1 validator2
stop_cleanly validator0 validator1 validator2
verify_stores validator0
no_bugs
kept=$((kept + $(wc -l <"$WORK/acknowledged")))
echo "$deaths deaths, $kept acknowledged transfers kept"
