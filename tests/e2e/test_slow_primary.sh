#!/bin/sh
# A primary that runs a tenth of the time: it answers before every time-out,
# and is replaced all the same: for its slowness, or for the round that it could
# have closed and did not, whichever is noticed first.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 4 1
for each in $names; do
    set_key "$each" consensus propose_timeout_ms 3000
done
start $names
await_ready $names
task=$(submit validator1 "$(make_task slow 100000)")
await 30 "the first rounds" round_reaches validator1 "$task" 3

# Stopped for less than the time-out, again and again, for as long as the test
# goes on.
hamper() { # name
    hampered=$(cat "$NET/$1/pid")
    while kill -STOP "$hampered" 2>/dev/null; do
        sleep 0.9
        kill -CONT "$hampered" 2>/dev/null || break
        sleep 0.1
    done
}
changes() { # name: those for what a primary does, none for its silence
    get "$1" /metrics | awk '
        /^pot_consensus_view_changes_total{reason="(slow|censor)"}/ { n += $2 }
        END { print n + 0 }'
}
is_replaced_in_time() {
    for each in validator0 validator1 validator2 validator3; do
        [ "$each" = "$victim" ] && continue
        [ "$(changes "$each")" -gt 0 ] && return 0
    done
    return 1
}
primary=$(ctl validator1 status --json | jq -r .primary)
for each in validator0 validator1 validator2 validator3; do
    [ "$(ctl "$each" status --json | jq -r .validator)" = "$primary" ] &&
        victim=$each
done
watcher=validator1
[ "$victim" = validator1 ] && watcher=validator2
hamper "$victim" &
hampering=$!
await 60 "a view without $victim" is_replaced_in_time
grep -Eq 'view change.*why=(slow|censor)' "$NET"/*/potd.log ||
    fail "the log does not say why"
is_other_primary() {
    [ "$(ctl "$watcher" status --json | jq -r .primary)" != "$primary" ]
}
await 20 "another primary" is_other_primary
at=$(round_of "$watcher" "$task")
await 30 "rounds without $victim" round_reaches "$watcher" "$task" $((at + 5))
kill "$hampering" 2>/dev/null || true
wait "$hampering" 2>/dev/null || true
kill -CONT "$(cat "$NET/$victim/pid")"
ctl "$watcher" cancel-task "$task" --wait --json >/dev/null
top=$(height_of "$watcher")
for each in $names; do
    await 30 "$each is at the top" reaches "$each" "$top"
done
same_chain $names
stop_cleanly $names
no_bugs
echo "a slow primary was replaced"
