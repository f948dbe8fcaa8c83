# byz.sh: what the tests with a Byzantine validator share; sourced behind
# lib.sh.

# The worker stands beside the program that asks for it.
mkdir -p "$WORK/bin"
ln "$BUILD/tests/byz/byz" "$WORK/bin/byz" 2>/dev/null ||
    cp "$BUILD/tests/byz/byz" "$WORK/bin/byz"
ln -s "$BUILD/pot-worker" "$WORK/bin/pot-worker"

# Quick ones: a view of half a second, a block every tenth of one.
init_quick_net() { # validators miners
    rm -rf "$NET"
    init_net "$1" "$2"
    for each in $names; do
        set_key "$each" consensus propose_timeout_ms 500
        set_key "$each" consensus idle_interval_ms 100
    done
}

start_byz() { # name trick
    "$WORK/bin/byz" "$2" --config "$NET/$1/node.toml" \
        >>"$NET/$1/potd.log" 2>&1 &
    echo $! >"$NET/$1/pid"
}

rss_of() { awk '/^VmRSS/ { print $2 }' "/proc/$(cat "$NET/$1/pid")/status"; }

metric_above() { [ "$(metric "$1" "$2")" -gt "$3" ]; }
