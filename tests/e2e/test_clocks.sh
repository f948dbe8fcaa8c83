#!/bin/sh
# Clocks that jump by an hour and by ten years, while nodes run: blocks go on,
# the time in them is that of the clocks that are right, a primary whose clock
# is ahead is replaced, and who was wrong comes back.
. "${srcdir:-.}/tests/e2e/lib.sh"
fake=
for each in /usr/lib/*/faketime/libfaketime.so.1; do
    [ -e "$each" ] && fake=$each
done
[ -n "$fake" ] || { echo "libfaketime is not installed" && exit 77; }
if ldd "$(command -v potd)" | grep -q -E 'lib(a|t)san'; then
    echo "sanitizers want to be loaded first" && exit 77
fi
init_net 4 0

# Each node's wall clock follows a file of its own; time-outs are taken on the
# other clock, which a jump leaves alone.
cat >"$WORK/clocked" <<END
#!/bin/sh
export LD_PRELOAD="$fake" FAKETIME_DONT_FAKE_MONOTONIC=1
export FAKETIME_TIMESTAMP_FILE="\${2%/node.toml}/clock" FAKETIME_NO_CACHE=1
exec potd "\$@"
END
chmod +x "$WORK/clocked"
POTD=$WORK/clocked
jump() { # offset names...
    offset=$1
    shift
    for each in "$@"; do
        echo "$offset" >"$NET/$each/clock.new"
        mv "$NET/$each/clock.new" "$NET/$each/clock"
    done
}
changes() { # name reason
    get "$1" /metrics | sed -n \
        "s/^pot_consensus_view_changes_total{reason=\"$2\"} //p"
}
go_on() { # blocks name
    goal=$(($(height_of "$2") + $1))
    await 60 "blocks go on at $2" reaches "$2" "$goal"
}
is_time_right() { # name: the tip's, within the tolerance of ten seconds
    tip=$(ctl "$1" status --json | jq -r .block_time_ms)
    off=$(($(now_ms) - tip))
    [ "$off" -gt -12000 ] && [ "$off" -lt 12000 ]
}
jump +0 $names
start $names
await_ready $names
go_on 2 validator1

# The primary of the first view is an hour ahead: nobody takes its blocks.
jump +3600 validator0
has_left() { [ "$(changes validator1 invalid)" -gt 0 ] ||
    [ "$(changes validator1 joined)" -gt 0 ]; }
await 60 "a view without validator0" has_left
go_on 3 validator1
is_time_right validator1 || fail "the chain took a wrong clock's time"
grep -q 'block refused' "$NET"/validator[123]/potd.log ||
    fail "nobody said what was wrong with its block"

# An hour behind it finds the others' blocks too far ahead, and follows.
jump -3600 validator0
go_on 3 validator1
await 60 "validator0 follows" reaches validator0 "$(height_of validator1)"

# One of four, ten years off in either direction.
for years in +3650d -3650d; do
    jump "$years" validator0
    go_on 3 validator1
    is_time_right validator1 || fail "the chain took a wrong clock's time"
    await 60 "validator0 follows" reaches validator0 "$(height_of validator1)"
done

# All together: there is no other clock to be right.
jump +3600 $names
go_on 3 validator1
top=$(height_of validator1)
for each in $names; do
    await 60 "$each is at the top" reaches "$each" "$top"
done
same_chain $names
stop_cleanly $names
verify_stores $names
no_bugs
echo "clocks jumped, blocks went on"
