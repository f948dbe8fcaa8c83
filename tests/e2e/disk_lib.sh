# disk_lib.sh: nodes on a disk that fails at will (tests/e2e/faulty_disk.c),
# and what they say of it.  Sourced behind lib.sh.
if grep -q __asan_init "$BUILD/potd" || grep -q __tsan_init "$BUILD/potd"; then
    echo "sanitizers do not let anything be preloaded before them"
    exit 77
fi

# start_faulty NAME: its faults are the rules in NAME/faults, none at first.
start_faulty() {
    LD_PRELOAD=$BUILD/tests/e2e/faulty_disk.so \
        POT_FAULTY_HOME=$NET/$1 POT_FAULTY_DISK=$NET/$1/faults \
        POT_FAULTY_TRACE=${TRACE:-/dev/null} \
        "${POTD:-potd}" --config "$NET/$1/node.toml" \
        >>"$NET/$1/potd.log" 2>&1 &
    echo $! >"$NET/$1/pid"
}

# faults NAME [RULE]...: at once, in a running node too.
faults() {
    faults_of=$1
    shift
    : >"$WORK/faults"
    for rule in "$@"; do
        echo "$rule" >>"$WORK/faults"
    done
    mv "$WORK/faults" "$NET/$faults_of/faults"
}

ready_json() { curl -sS "$(url_of "$1")/readyz"; }

has_reason() { # name code
    ready_json "$1" | holds --arg code "$2" '.reasons[] | select(.code == $code)'
}

metric() { # name metric
    get "$1" /metrics |
        awk -v name="$2" '$1 == name { print $2; found = 1 }
                          END { exit !found }'
}

sent_consensus() { metric "$1" 'pot_p2p_send_messages_total{type="consensus"}'; }

# says CODE NAME STATUS METHOD PATH [FILE]: that status, and that error code.
says() {
    says_got=$(curl -sS -o "$WORK/said" -w '%{http_code}' -X "$4" \
        ${6:+--data-binary "@$6"} "$(url_of "$2")$5")
    [ "$says_got" = "$3" ] || fail "$2 $5: $says_got, not $3"
    [ -z "$1" ] || [ "$(jq -r .error.code "$WORK/said")" = "$1" ] ||
        fail "$2 $5: $(cat "$WORK/said")"
}

# silent_while_others_go_on NAME OTHER
silent_while_others_go_on() {
    silent_sent=$(sent_consensus "$1")
    silent_at=$(height_of "$2")
    await 20 "blocks without $1" reaches "$2" $((silent_at + 3))
    [ "$(sent_consensus "$1")" = "$silent_sent" ] ||
        fail "$1 sent consensus messages"
}

no_evidence() { # names...
    for each in "$@"; do
        [ "$(metric "$each" pot_consensus_evidence_total)" = 0 ] ||
            fail "$each saw a double vote"
    done
}
