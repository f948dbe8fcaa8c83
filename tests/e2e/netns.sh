# netns.sh: each node in a network namespace of its own, joined by bridges.
# Sourced after lib.sh, by root.  A node's p2p address is 10.N.0.I; its API
# listens on its namespace's own loopback, so it answers in every partition.
#
# A partition puts the cables of its sides into bridges of their own; a cable
# in no bridge is cut.  Loss and one-way cuts are nftables rules in the
# receiver's namespace: the kernels of many machines lack netem.

ns_skip() { echo "skipped: $*"; exit 77; }

[ "$(id -u)" -eq 0 ] || ns_skip "network namespaces are root's"
for each in ip nft; do
    command -v $each >/dev/null || ns_skip "no $each"
done

NS=pot$(((BASE_PORT - 20000) / 50)) # the ports' range is ours alone
ns_of() { echo "$NS-$1"; }
where_of() { echo "ip netns exec $(ns_of "$1")"; }

ns_index() { # name -> 1, 2, ...
    ns_i=1
    for each in $names; do
        [ "$each" = "$1" ] && echo $ns_i && return
        ns_i=$((ns_i + 1))
    done
    fail "no node $1"
}

ns_address() { echo "10.${NS#pot}.0.$(ns_index "$1")"; }
ns_cable() { echo "${NS}v$(ns_index "$1")"; }

ns_close() {
    for each in ${names:-}; do
        ip netns del "$(ns_of "$each")" 2>/dev/null || true
        ip link del "$(ns_cable "$each")" 2>/dev/null || true
    done
    for each in a b c; do
        ip link del "${NS}$each" 2>/dev/null || true
    done
}

# The library's trap, and then the namespaces.
ns_stop() {
    ns_status=$?
    [ "$(exec sh -c 'echo $PPID')" = "$$" ] || exit "$ns_status"
    for pid in $(pgrep -f "$WORK/" || true); do
        kill -9 "$pid" 2>/dev/null || true
    done
    ns_close
    (exit "$ns_status")
    stop_everything
}

# ns_open: after init_net, before start.  Ports stay, addresses change.
ns_open() {
    trap ns_stop EXIT
    ns_close
    for side in a b c; do
        ip link add "${NS}$side" type bridge && ip link set "${NS}$side" up ||
            ns_skip "no bridges here"
    done
    : >"$WORK/addresses"
    for name in $names; do
        ns=$(ns_of "$name")
        cable=$(ns_cable "$name")
        ip netns add "$ns" || ns_skip "no network namespaces here"
        ip -n "$ns" link set lo up
        ip link add "$cable" type veth peer name eth0 netns "$ns"
        ip -n "$ns" addr add "$(ns_address "$name")/24" dev eth0
        ip -n "$ns" link set eth0 up
        ip link set "$cable" master "${NS}a" up
        port=$(($(port_of "$name") - 1))
        echo "s/127\.0\.0\.1:$port\"/$(ns_address "$name"):$port\"/" \
            >>"$WORK/addresses"
    done
    for name in $names; do
        sed -i -f "$WORK/addresses" "$NET/$name/node.toml"
    done
}

# ns_side A|B|C NAMES...: these nodes see each other, and nobody else.
ns_side() {
    ns_bridge=$NS$1
    shift
    for name in "$@"; do
        ip link set "$(ns_cable "$name")" master "$ns_bridge"
    done
}

ns_cut() { # names...: alone, each of them
    for name in "$@"; do
        ip link set "$(ns_cable "$name")" nomaster
    done
}

ns_rules() { # name rules...: of its input, in place of what was there
    ns_rules_ns=$(ns_of "$1")
    shift
    {
        echo 'table inet pot'
        echo 'delete table inet pot'
        echo 'table inet pot {'
        echo 'chain in {'
        echo 'type filter hook input priority 0;'
        [ "$#" -eq 0 ] || printf '%s\n' "$@"
        echo '}'
        echo '}'
    } | ip netns exec "$ns_rules_ns" nft -f -
}

ns_lose() { # percent names...: of the packets that they are sent
    ns_percent=$1
    shift
    for name in "$@"; do
        ns_rules "$name" "iif eth0 numgen random mod 100 < $ns_percent drop"
    done
}

ns_deaf() { # name FROM...: it hears nothing of what these send
    ns_deaf_name=$1
    shift
    ns_deaf_rules=
    for name in "$@"; do
        ns_deaf_rules="$ns_deaf_rules ip saddr $(ns_address "$name") drop;"
    done
    ns_rules "$ns_deaf_name" "$ns_deaf_rules"
}

ns_heal() {
    # shellcheck disable=SC2086
    ns_side a $names
    for name in $names; do
        ns_rules "$name"
    done
}
