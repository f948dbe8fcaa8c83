#!/bin/sh
# Somebody on the path: validator1 reaches validator0 through him only.  What
# he changes or repeats ends the connection and never counts, what he cuts is
# dialled again, what he has recorded lets him in nowhere; nor do other tricks
# with the handshake.  The chain goes on whenever he lets frames pass.
. "${srcdir:-.}/tests/e2e/lib.sh"
. "${srcdir:-.}/tests/byz/byz.sh"
export POTD_P2P_HANDSHAKE_TIMEOUT_MS=1500

init_quick_net 2 0
chain=$(jq -r .chain_id "$NET/genesis.json")
port=$(($(port_of validator0) - 1))
between=$((BASE_PORT + 40))
# validator0 waits for the other, who dials where the middleman listens.
sed -i "/127.0.0.1:$((port + 2))\"/d" "$NET/validator0/node.toml"
sed -i "s/127.0.0.1:$port\"/127.0.0.1:$between\"/" "$NET/validator1/node.toml"

middleman=$BUILD/tests/byz/middleman

stand_between() { # trick
    "$middleman" "$1" $between "$port" "$WORK/record" &
    man=$!
}

leave() {
    kill "$man"
    wait "$man" 2>/dev/null || true
}

ended() { # reason -> how often, at both
    for each in $names; do
        get "$each" /metrics | awk -v r="reason=\"$1\"" '
            /^pot_p2p_rejected_frames_total/ && index($0, r) { print $2 }'
    done | awk '{ sum += $1 } END { printf "%d\n", sum }'
}

ended_above() { [ "$(ended "$1")" -gt "$2" ]; }

goes_on() { # under what
    height=$(height_of validator0)
    await 30 "blocks under $1" reaches validator0 $((height + 2))
}

stand_between relay
start $names
for each in $names; do
    await 30 "$each answers" get "$each" /v1/status
done
await 30 "blocks through him" reaches validator0 3
leave

# trick, and how the connections end
while read -r trick reason; do
    before=$(ended "$reason")
    stand_between "$trick"
    await 30 "$trick ends as $reason" ended_above "$reason" "$before"
    leave
    stand_between relay
    goes_on "$trick"
    leave
    echo "$trick: $reason"
done <<END
change forged
repeat forged
cut closed
END

stand_between relay
await 30 "they meet again" is_ready validator0
while read -r trick reason; do
    before=$(ended "$reason")
    "$middleman" "$trick" "$port" "$chain" "$WORK/record" ||
        fail "$trick: the node keeps him"
    await 10 "$trick ends as $reason" ended_above "$reason" "$before"
    [ "$(ctl validator0 peers --json | jq '.peers | length')" -le 1 ] ||
        fail "$trick: he is a peer now"
    echo "$trick: $reason"
done <<END
replay forged
reflect reflected
low-order low_order
version version
chain chain
large frame_size
drip handshake_timeout
END
goes_on "all of it"
[ "$(metric validator0 pot_p2p_bans_total)" -eq 0 ] ||
    fail "somebody was banned for what another did"
same_chain $names
leave
stop_cleanly $names
no_bugs
