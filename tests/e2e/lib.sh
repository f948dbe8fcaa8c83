# lib.sh: what the end-to-end tests share: networks of real potd processes on
# loopback.  Sourced; BUILD and SOURCE name the trees.
#
# Nothing here sleeps for a fixed time to let something happen: await asks
# again and again, up to a deadline, and a miss fails the test.
set -eu
SOURCE=$(cd "${srcdir:-.}" && pwd)
BUILD=$(pwd)
PATH=$BUILD:$PATH
unset OPENBLAS_CORETYPE OPENBLAS_NUM_THREADS || true
unset POTCTL_NODE POTCTL_KEY POTCTL_PASSPHRASE_FILE || true
WORK=$(mktemp -d "${TMPDIR:-/tmp}/pot-e2e-XXXXXX")
NET=$WORK/net

fail() {
    echo "FAILED: $*" >&2
    for log in "$NET"/*/potd.log; do
        [ -e "$log" ] || continue
        echo "--- $log" >&2
        grep -E 'WARN|ERROR|BUG' "$log" | tail -n 15 >&2 || true
    done
    exit 1
}

stop_everything() {
    status=$?
    # Some shells run the trap in subshells too: theirs is not the end.
    [ "$(exec sh -c 'echo $PPID')" = "$$" ] || exit "$status"
    rmdir "$PORT_LOCK" 2>/dev/null || true
    for pid in $(pgrep -f "$WORK/" || true); do
        kill -9 "$pid" 2>/dev/null || true
    done
    [ -z "${SMALL_DISK:-}" ] || umount -l "$SMALL_DISK" || true
    [ "$status" -ne 0 ] && [ -n "${POT_KEEP:-}" ] &&
        echo "kept: $WORK" >&2 || rm -rf "$WORK"
    exit "$status"
}

# Two tests at once must not meet: fifty ports each, below those that the
# system gives to outgoing connections; a folder is the lock of a range.
PORT_LOCK=
for range in $(seq $(($$ % 200)) 199) $(seq 0 $(($$ % 200))); do
    if mkdir "${TMPDIR:-/tmp}/pot-e2e-ports-$range" 2>/dev/null; then
        PORT_LOCK=${TMPDIR:-/tmp}/pot-e2e-ports-$range
        BASE_PORT=$((20000 + range * 50))
        break
    fi
done
[ -n "$PORT_LOCK" ] || { echo "no free range of ports" >&2; exit 1; }
trap stop_everything EXIT

now_ms() { date +%s%3N; }

# Hundredths of a second, of the clock that nobody sets, and without a process.
up_time() {
    read -r up_time_said _ </proc/uptime
    echo "${up_time_said%.*}${up_time_said#*.}"
}

# await SECONDS WHAT COMMAND...: until the command succeeds.
await() {
    await_end=$(($(up_time) + $1 * 100))
    await_what=$2
    shift 2
    until "$@" >"$WORK/await.out" 2>&1; do
        if [ "$(up_time)" -gt "$await_end" ]; then
            cat "$WORK/await.out" >&2
            fail "not in time: $await_what"
        fi
        sleep 0.1
    done
}

# holds ARGUMENTS: as `jq -e`, which in version 1.6 calls no input at all true.
holds() {
    holds_said=$(jq -e "$@") && [ -n "$holds_said" ]
}

init_net() { # validators miners [aggregators]
    potctl testnet init --dir "$NET" --validators "$1" --miners "$2" \
        --aggregators "${3:-0}" --base-port "$BASE_PORT" >/dev/null
    names=$(cd "$NET" && ls -d validator* miner* aggregator* 2>/dev/null |
        sort -r | awk '/^v/ { v = $0 " " v } /^m/ { m = $0 " " m }
            /^a/ { a = $0 " " a } END { print v m a }')
    export POTCTL_KEY=$NET/client.key
}

port_of() { # name -> API port
    index=0
    for each in $names; do
        [ "$each" = "$1" ] && echo $((BASE_PORT + 2 * index + 1)) && return
        index=$((index + 1))
    done
    fail "no node $1"
}

address_of() { # name -> of its key
    potctl key show "$NET/$1/key" --json | jq -r .address
}

url_of() { echo "http://127.0.0.1:$(port_of "$1")"; }

# The words before a command that is to run where the node does; netns.sh
# gives each node a network namespace of its own.
where_of() { :; }

ctl() { # name arguments...
    ctl_node=$1
    shift
    POTCTL_NODE=$(url_of "$ctl_node") $(where_of "$ctl_node") potctl "$@"
}

get() { # name path [field]: of its API
    $(where_of "$1") "$BUILD/tests/e2e/ask" "$(port_of "$1")" "$2" ${3:+"$3"}
}

set_key() { # name section key value: a line of its node.toml
    awk -v section="[$2]" -v key="$3" -v value="$4" '
        /^\[/ { inside = $0 == section }
        inside && $0 ~ "^#? ?" key " *=" && !done {
            print key " = " value; done = 1; next }
        { print }
    ' "$NET/$1/node.toml" >"$WORK/toml" && cp "$WORK/toml" "$NET/$1/node.toml"
}

start() { # names...: each in the background, its log in its folder
    for each in "$@"; do
        $(where_of "$each") "${POTD:-potd}" --config "$NET/$each/node.toml" \
            >>"$NET/$each/potd.log" 2>&1 &
        echo $! >"$NET/$each/pid"
    done
}

# start_bad MODE NAMES...: with tests/e2e/bad_worker beside potd, where it looks
# for pot-worker; other POT_BAD_ variables are the caller's.
start_bad() {
    bad_mode=$1
    shift
    if [ ! -e "$WORK/bad" ]; then
        mkdir "$WORK/bad"
        cp "$BUILD/potd" "$WORK/bad/potd"
        cp "$BUILD/tests/e2e/bad_worker" "$WORK/bad/pot-worker"
    fi
    POTD=$WORK/bad/potd POT_BAD_REAL=$BUILD/pot-worker POT_BAD_MODE=$bad_mode \
        start "$@"
}

kill_hard() { # names...
    for each in "$@"; do
        kill -9 "$(cat "$NET/$each/pid")"
        wait "$(cat "$NET/$each/pid")" 2>/dev/null || true
    done
}

metric() { # name metric -> the sum of its samples
    get "$1" /metrics | awk -v name="$2" '
        $1 == name || index($1, name "{") == 1 { sum += $2 }
        END { printf "%d\n", sum }'
}

is_ready() { get "$1" /readyz; }

await_ready() { # names...
    for each in "$@"; do
        await 30 "$each is ready" is_ready "$each"
    done
}

height_of() { get "$1" /v1/status height; }

reaches() { # name height
    [ "$(height_of "$1")" -ge "$2" ]
}

task_of() { ctl "$1" task "$2" --json; }

round_of() { get "$1" "/v1/tasks/$2" round; }

round_reaches() { # name task round
    [ "$(round_of "$1" "$2")" -ge "$3" ]
}

has_ended() { # name task
    case $(get "$1" "/v1/tasks/$2" status) in
    completed | cancelled | failed) true ;;
    *) false ;; # it may not have heard of it yet
    esac
}

# Each of them: what one knows, another may hear of a moment later.
await_end_of() { # task names...
    await_task=$1
    shift
    for each in "$@"; do
        await 30 "$each knows that the task ended" has_ended "$each" \
            "$await_task"
    done
}

# was_refused MINER-ADDRESS: at some validator, by its log; not everyone need
# have judged what others had refused.
was_refused() {
    cat "$NET"/validator*/potd.log | grep -q "submission refused.*miner=$1"
}

# make_task NAME ROUNDS [KEY=VALUE for the training section]...
make_task() {
    cp "$SOURCE"/examples/digits/digits-*.csv "$WORK/"
    make_name=$1
    make_rounds=$2
    shift 2
    # So little pay that a stake outweighs it, however few rounds share it.
    sed "s/^rounds *=.*/rounds = $make_rounds/; s/^name *=.*/name = \"$make_name\"/
        s/^budget *=.*/budget = \"5\"/" \
        "$SOURCE/examples/digits/task.toml" >"$WORK/$make_name.toml"
    for pair in "$@"; do
        key=${pair%%=*}
        sed -i "s/^$key *=.*/$key = ${pair#*=}/" "$WORK/$make_name.toml"
        grep -q "^$key = " "$WORK/$make_name.toml" ||
            fail "no $key in the example task"
    done
    echo "$WORK/$make_name.toml"
}

submit() { # name file -> task id
    ctl "$1" submit-task "$2" --json | jq -r .task
}

# same_chain NAMES...: the same blocks, state roots and parameters on all.
same_chain() {
    lowest=
    for each in "$@"; do
        h=$(height_of "$each")
        [ -z "$lowest" ] || [ "$h" -lt "$lowest" ] && lowest=$h
    done
    for each in "$@"; do
        from=1
        : >"$WORK/chain.$each"
        while [ "$from" -le "$lowest" ]; do
            get "$each" "/v1/blocks?from=$from&limit=100" |
                jq -c --argjson top "$lowest" \
                    '.blocks[] | select(.height <= $top) | [.height, .hash,
                     .state_root, [.round_updates[].parameters_hash]]' \
                    >>"$WORK/chain.$each"
            from=$((from + 100))
        done
        sort -u "$WORK/chain.$each" >"$WORK/chain.$each.sorted"
        cmp -s "$WORK/chain.$1.sorted" "$WORK/chain.$each.sorted" ||
            fail "$each and $1 differ up to height $lowest"
    done
    [ "$(wc -l <"$WORK/chain.$1.sorted")" -eq "$lowest" ] ||
        fail "not every height up to $lowest was compared"
}

verify_stores() { # names...: the nodes are stopped
    for each in "$@"; do
        potd --config "$NET/$each/node.toml" --verify-store \
            >"$WORK/verify.$each" 2>&1 || {
            cat "$WORK/verify.$each" >&2
            fail "$each: --verify-store"
        }
    done
}

stop_cleanly() { # names...
    for each in "$@"; do
        kill -TERM "$(cat "$NET/$each/pid")"
    done
    for each in "$@"; do
        wait "$(cat "$NET/$each/pid")" || fail "$each: exit status $?"
    done
}

# copy_home NAME: to another place, as it is now.
copy_home() {
    rm -rf "$WORK/copies"
    mkdir "$WORK/copies"
    cp -r "$NET/$1" "$WORK/copies/$1"
    rm -f "$WORK/copies/$1/potd.log"
    cp "$NET/genesis.json" "$WORK/copies/"
}

# copy_is_refused NAME: while the node itself runs, its copy ends by itself
# and has signed nothing.
copy_is_refused() {
    copy_port=$((BASE_PORT + 40))
    copy_status=0
    POTD_P2P_LISTEN=127.0.0.1:$copy_port \
        POTD_API_LISTEN=127.0.0.1:$((copy_port + 1)) \
        timeout 60 potd --config "$WORK/copies/$1/node.toml" \
        >"$WORK/copies/log" 2>&1 || copy_status=$?
    [ "$copy_status" -eq 9 ] || {
        tail -n 20 "$WORK/copies/log" >&2
        fail "the copy ended with $copy_status"
    }
    grep -q "another node signs with this validator's key" \
        "$WORK/copies/log" || fail "the copy did not say why"
    ! grep "votes from now on" "$WORK/copies/log" || fail "the copy voted"
}

no_bugs() {
    if grep -E 'BUG:|Sanitizer|runtime error' "$NET"/*/potd.log; then
        fail "a node met a bug"
    fi
}

# ---- the exact lane on several kernels

exact_kernels() { # those that this processor runs
    echo scalar
    ! grep -qw avx2 /proc/cpuinfo || echo avx2
    ! grep -qw avx512f /proc/cpuinfo || echo avx512
    [ "$(uname -m)" != aarch64 ] || echo neon
}

# Each miner on another kernel; those that are left over choose, or take the
# scalar one.  Before they start.
pin_kernels() { # miners...
    for kernel in $(exact_kernels) auto scalar scalar; do
        [ $# -gt 0 ] || break
        set_key "$1" miner exact_kernel "\"$kernel\""
        set_key "$1" log level '"debug"'
        shift
    done
}

were_pinned() { # kernels...: a miner's worker computed by each of them
    for kernel in "$@"; do
        grep -q "worker ready.* exact=$kernel" "$NET"/miner*/potd.log ||
            fail "no miner computed by $kernel"
    done
}

# A replay in one process comes to the parameters in $WORK/task.json.
is_replayed() { # name task kernel
    ctl "$1" replay "$2" --kernel "$3" --json >"$WORK/replay.json" ||
        fail "replay: $(cat "$WORK/replay.json")"
    holds --slurpfile task "$WORK/task.json" '.identical and .rounds > 0 and
        .rounds == $task[0].rounds and
        .gradients == $task[0].submissions and
        .parameters_hash == $task[0].parameters_hash' "$WORK/replay.json" ||
        fail "$3: $(cat "$WORK/replay.json")"
}
