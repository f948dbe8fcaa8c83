#!/bin/sh
# Frozen processes: half of the validators at once (nothing is committed, and
# after the thaw it goes on), the primary for longer than its time-out (a new
# view), a log level that SIGHUP changes, and a transaction that became
# pointless meanwhile.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 4 1
for each in $names; do
    set_key "$each" consensus propose_timeout_ms 800
done
start $names
await_ready $names
task=$(submit validator0 "$(make_task pause 100000)")
await 30 "the first rounds" round_reaches validator0 "$task" 5
freeze() { for each in "$@"; do kill -STOP "$(cat "$NET/$each/pid")"; done; }
thaw() { for each in "$@"; do kill -CONT "$(cat "$NET/$each/pid")"; done; }

# Two of four: no quorum.  What was under way may still be committed; then
# the height stands still for as long as several time-outs.
freeze validator2 validator3
stands_still() { # ms
    still=$(height_of validator0)
    until=$(($(now_ms) + $1))
    while [ "$(now_ms)" -lt "$until" ]; do
        [ "$(height_of validator0)" -eq "$still" ] || return 1
        sleep 0.2
    done
}
await 15 "half of the validators commit nothing" stands_still 2500
halted=$(height_of validator0)

# A transaction waits meanwhile, and is waited for.
sender=$(potctl key show "$NET/client.key" --json | jq -r .address)
tx=$(ctl validator0 transfer --to "$sender" --amount 1 --json | jq -r .tx)
ctl validator0 tx "$tx" | grep '^state  *pending$' || fail "it is not pending"
code=0
ctl validator0 tx "$tx" --wait --timeout 500ms 2>"$WORK/err" || code=$?
[ "$code" = 5 ] && grep -q 'ask again with .potctl tx .* --wait' "$WORK/err" ||
    fail "tx --wait: exit $code, $(cat "$WORK/err")"
ctl validator0 tx "$tx" --wait --timeout 30s --json >"$WORK/waited" &
waiting=$!
thaw validator2 validator3
wait "$waiting" || fail "tx --wait: exit $?"
jq -e --argjson h "$halted" '.height > $h' "$WORK/waited" >/dev/null ||
    fail "tx --wait: $(cat "$WORK/waited")"
await 15 "blocks after the thaw" reaches validator0 $((halted + 3))
at=$(round_of validator0 "$task")
await 20 "rounds after the thaw" round_reaches validator0 "$task" $((at + 3))

# The primary, for longer than its time-out.
status_of() { ctl "$1" status --json; }
name_of_primary() {
    primary=$(status_of validator0 | jq -r .primary)
    for each in validator0 validator1 validator2 validator3; do
        [ "$(status_of "$each" | jq -r .node)" = "$primary" ] &&
            echo "$each" && return
    done
    fail "no node is the primary $primary"
}
is_agreed() { # who leads: the thaw may have begun a view, and not ended it
    for each in validator0 validator1 validator2 validator3; do
        status_of "$each" | jq -c '[.primary, .view]'
    done | sort -u | wc -l | grep -qx 1
}
await 20 "all have one primary" is_agreed
victim=$(name_of_primary)
watcher=validator0
[ "$victim" = validator0 ] && watcher=validator1
view=$(status_of "$watcher" | jq -r .view)
at=$(height_of "$watcher")
freeze "$victim"
is_later_view() { [ "$(status_of "$watcher" | jq -r .view)" -gt "$view" ]; }
await 15 "a view without $victim" is_later_view
await 15 "blocks without $victim" reaches "$watcher" $((at + 3))
thaw "$victim"
top=$(height_of "$watcher")
await 20 "$victim is back" reaches "$victim" "$top"

# SIGHUP: the log level.
lines() { wc -l <"$NET/validator1/potd.log"; }
has_more_lines() { [ "$(lines)" -gt "$1" ]; }
is_silent() { # while blocks are committed, which it told before
    silent_lines=$(lines)
    silent_height=$(height_of validator1)
    silent_end=$(($(now_ms) + 10000))
    until reaches validator1 $((silent_height + 3)); do
        [ "$(now_ms)" -lt "$silent_end" ] || return 1
        sleep 0.1
    done
    [ "$(lines)" -eq "$silent_lines" ]
}
set_key validator1 log level '"error"'
kill -HUP "$(cat "$NET/validator1/pid")"
await 20 "errors alone after SIGHUP" is_silent
set_key validator1 log level '"info"'
kill -HUP "$(cat "$NET/validator1/pid")"
await 10 "blocks are told again" has_more_lines "$(lines)"
# What it does not read again is named.
! grep 'needs a restart' "$NET/validator1/potd.log" || fail "nothing was changed"
set_key validator1 consensus idle_interval_ms 4321
kill -HUP "$(cat "$NET/validator1/pid")"
await 10 "the setting is named" grep -q \
    'needs a restart.*setting=consensus.idle_interval_ms' "$NET/validator1/potd.log"
echo 'monicker = "x"' | cat - "$NET/validator1/node.toml" >"$WORK/toml"
cp "$WORK/toml" "$NET/validator1/node.toml"
kill -HUP "$(cat "$NET/validator1/pid")"
await 10 "a bad config is told, and not taken" \
    grep -q 'config not re-read why=.*did you mean .*[^a]"$' \
    "$NET/validator1/potd.log"
sed -i 1d "$NET/validator1/node.toml"

# Of two that cancel the task the second one is pointless when its turn comes.
# Who asks is told; who waits behind it as well, and goes on once another one
# has taken its place.
freeze validator2 validator3
await 15 "half of the validators commit nothing again" stands_still 1000
ctl validator0 cancel-task "$task" --json >/dev/null
tx=$(ctl validator0 cancel-task "$task" --json | jq -r .tx)
ctl validator0 transfer --to "$sender" --amount 1 --wait --timeout 60s \
    >"$WORK/behind" 2>"$WORK/told" &
waiting=$!
await 10 "the transfer waits" grep -q 'waiting for its block' "$WORK/told"
thaw validator2 validator3
await 20 "who waits behind is told" grep -q \
    "an earlier transaction .* $tx, could not be executed: the task has ended" \
    "$WORK/told"
code=0
ctl validator0 tx "$tx" 2>"$WORK/err" || code=$?
[ "$code" = 6 ] && grep -q 'was dropped: the task has ended' "$WORK/err" ||
    fail "tx of what was dropped: exit $code, $(cat "$WORK/err")"
ctl validator0 transfer --to "$sender" --amount 1 --wait --json >/dev/null
wait "$waiting" || fail "who waited behind it: $(cat "$WORK/told")"
grep -q 'committed at height' "$WORK/behind" || fail "$(cat "$WORK/behind")"
top=$(height_of "$watcher")
for each in $names; do
    await 20 "$each is at the top" reaches "$each" "$top"
done
same_chain $names
stop_cleanly $names
no_bugs
echo "frozen halves and primaries thawed"
