#!/bin/sh
# What a person, a script or a web page can get wrong: configs, keys, genesis
# files, tasks, transactions, HTTP.  Each gets its exit code or status and one
# clear line, and the node goes on as if nothing had been.
. "${srcdir:-.}/tests/e2e/lib.sh"
init_net 1 1
node=$NET/validator0
chain=$(jq -r .chain_id "$NET/genesis.json")
failures=0
miss() {
    echo "FAIL: $*" >&2
    failures=$((failures + 1))
}

# ---- potd: configs, keys, genesis

# refuses CODE TEXT TOML-FILE OPTIONS...: nothing was started, and one line
# that begins with the program or the file says why.
refuses() {
    code=$1
    text=$2
    toml=$3
    shift 3
    got=0
    timeout 20 potd --config "$toml" "$@" >"$WORK/out" 2>"$WORK/err" || got=$?
    [ "$got" -eq "$code" ] ||
        miss "exit $got, not $code, for \"$text\": $(cat "$WORK/err")"
    grep -qF -- "$text" "$WORK/err" || miss "no \"$text\": $(cat "$WORK/err")"
    [ "$(wc -l <"$WORK/err")" -le 3 ] || miss "too many words: $(cat "$WORK/err")"
}

ends_alike() {
    [ "$(tail -n 1 "$WORK/err")" = \
        'potd: configuration invalid, nothing was started' ] ||
        miss "another end: $(cat "$WORK/err")"
}

# spoilt SED-EXPRESSION -> a copy of the node's config, changed
spoilt() {
    sed "$1" "$node/node.toml" >"$node/spoilt.toml"
    ! cmp -s "$node/node.toml" "$node/spoilt.toml" || fail "$1 changes nothing"
    echo "$node/spoilt.toml"
}

potd --config "$NET/miner0/node.toml" --check-config >"$WORK/checked" ||
    fail "a config that is right"
grep -q "^# not looked at: whether pot1.* has a miner's stake; .potctl balance" \
    "$WORK/checked" || fail "not said what was not checked"

own=$(potctl key show "$NET/miner0/key" | head -1)
POTD_P2P_PEERS=$own@127.0.0.1:1 potd --config "$NET/miner0/node.toml" \
    --check-config 2>"$WORK/err" >"$WORK/checked" || fail "its own peer"
grep -q 'names no other node than this one' "$WORK/err" || miss "its own peer"

refuses 3 'not found' "$node/nothing.toml"
refuses 3 'did you mean "moniker"' "$(spoilt 's/^moniker/monicker/')"
ends_alike
refuses 3 'spoilt.toml:' "$(spoilt 's/^moniker/monicker/')" --check-config
ends_alike
other=neon
[ "$(uname -m)" != aarch64 ] || other=avx2
kernel=$(spoilt "s/^exact_kernel = .*/exact_kernel = \"$other\"/")
refuses 3 'miner.exact_kernel: this processor has no' "$kernel"
refuses 3 'miner.exact_kernel: this processor has no' "$kernel" --check-config
miner=$NET/miner0/node.toml
core=$(grep -n '^blas_core = ' "$miner" | cut -d : -f 1)
sed 's/^blas_core = .*/blas_core = "Abacus"/' "$miner" >"$NET/miner0/core.toml"
ln -s none "$NET/nowhere"
sed 's/^home = .*/home = ""/' "$miner" >"$NET/miner0/homeless.toml"
grep -q '^home = ""' "$NET/miner0/homeless.toml" || fail "no home in $miner"
for mode in --check-config ''; do
    # shellcheck disable=SC2086
    refuses 3 "core.toml:$core: miner.blas_core: OpenBLAS has no core \"Abacus\"" \
        "$NET/miner0/core.toml" $mode
    # shellcheck disable=SC2086
    POTD_API_WEB=$NET/none refuses 3 ': POTD_API_WEB: ' "$miner" $mode
    # shellcheck disable=SC2086
    POTD_API_WEB=$miner refuses 3 'it must be a folder' "$miner" $mode
    # shellcheck disable=SC2086
    POTD_HOME=/ refuses 3 ': POTD_HOME: is the root of all files' "$miner" $mode
    # shellcheck disable=SC2086
    POTD_HOME=$miner refuses 3 ": POTD_HOME: $miner: a file: it must be a folder" \
        "$miner" $mode
    # shellcheck disable=SC2086
    POTD_HOME=$miner/home refuses 3 \
        ": POTD_HOME: $miner: a file: home cannot be made below it" "$miner" $mode
    for each in "$NET/nowhere" "$NET/nowhere/home"; do
        # shellcheck disable=SC2086
        POTD_HOME=$each refuses 3 ": POTD_HOME: $NET/nowhere: a link that leads" \
            "$miner" $mode
    done
    # shellcheck disable=SC2086
    POTD_HOME=$NET/none/../miner0/key refuses 3 \
        ": POTD_HOME: $NET: home goes on below it" "$miner" $mode
    # shellcheck disable=SC2086
    refuses 3 ': home: must be a folder' "$NET/miner0/homeless.toml" $mode
    ends_alike # the same words wherever the fault was found
done
POTD_LOG_FILE=$NET/none/potd.log refuses 3 ': POTD_LOG_FILE: ' "$node/node.toml" \
    --check-config
ends_alike
POTD_LOG_FILE=$NET/none/potd.log refuses 3 ': POTD_LOG_FILE: ' "$node/node.toml"
ends_alike
POTD_HOME=$node/key/home refuses 3 ': POTD_HOME: ' "$node/node.toml" --check-config
ends_alike
kee=$(spoilt 's/^key = .*/key = "kee"/')
line=$(grep -n '^key = ' "$kee" | cut -d : -f 1 | head -n 1)
refuses 3 "spoilt.toml:$line: p2p.key: " "$kee" --check-config
refuses 3 ': validator.key: ' "$kee" --check-config
refuses 3 'spoilt.toml:1' "$(spoilt '1s/^/= = =\n/')"
refuses 3 'whole number' "$(spoilt 's/^idle_interval_ms = 1000/idle_interval_ms = "1"/')"
refuses 3 'is not between' "$(spoilt 's/^idle_interval_ms = 1000/idle_interval_ms = 0/')"
refuses 3 'is not between' "$(spoilt 's/^idle_interval_ms = 1000/idle_interval_ms = -5/')"
refuses 3 'true or false' "$(spoilt 's/^enabled = true/enabled = "yes"/')"
refuses 3 'error, warn, info or debug' "$(spoilt 's/^# level.*/level = "loud"/')"
refuses 3 'not <address>@host:port' "$(spoilt 's/^peers = .*/peers = ["nonsense", /')"
refuses 3 'not found' "$(spoilt 's/^key = .*/key = "no-such-key"/')"
refuses 3 'not found' "$(spoilt 's/^genesis = .*/genesis = "none.json"/')"
head -c 4096 /dev/urandom >"$node/noise.toml"
refuses 3 'noise.toml' "$node/noise.toml"
chmod 600 "$node/noise.toml"
refuses 3 'malformed' "$(spoilt 's/^key = .*/key = "noise.toml"/')"
# An address that no machine has.
POTD_LOG_LEVEL=error POTD_API_LISTEN=192.0.2.1:26680 refuses 1 \
    '192.0.2.1:26680: not found: choose another api.listen' "$node/node.toml"
POTD_LOG_LEVEL=error POTD_P2P_LISTEN=192.0.2.1:26680 refuses 1 \
    '192.0.2.1:26680: not found: choose another p2p.listen' "$node/node.toml"
POTD_LOG_LEVEL=loud refuses 3 'error, warn, info or debug' "$node/node.toml"
POTD_MEMPOOL_MAX_TXS=many refuses 3 'whole number' "$node/node.toml"

chmod 644 "$node/key"
refuses 3 'chmod 600' "$node/node.toml"
chmod 600 "$node/key"
cp "$node/key" "$node/plain"
potctl key encrypt "$node/key" --passphrase-file - >/dev/null <<'END'
the right one
END
refuses 3 'a passphrase is needed' "$node/node.toml"
(umask 077; echo 'the wrong one' >"$node/words")
POTD_KEY_PASSPHRASE_FILE=$node/words refuses 3 'wrong passphrase' \
    "$node/node.toml"
mv "$node/plain" "$node/key"

# genesis SED-EXPRESSION TEXT
genesis() {
    sed "$1" "$NET/genesis.json" >"$node/genesis.json"
    ! cmp -s "$NET/genesis.json" "$node/genesis.json" ||
        fail "$1 changes nothing"
    refuses 3 "$2" "$(spoilt 's/^genesis = .*/genesis = "genesis.json"/')"
}

genesis '1s/{/{{/' 'line 1'
genesis 's/"chain_id": "/"chain_id": "Not Allowed /' 'chain_id'
genesis 's/"balance": "/"balance": "-/' 'balance'
genesis 's/"role": "validator"/"role": "emperor"/' 'role'
genesis 's/pot1/pot2/' 'address'
genesis 's/"time_ms"/"time_s"/' 'time_'

# ---- a node that runs: its store is locked, and is not another chain's

start $names
await_ready $names
url=$(url_of validator0)
refuses 7 "$(cat "$node/pid")" "$node/node.toml"

# ---- potctl testnet ps: another network's ports, a broken node.toml

potctl testnet init --dir "$WORK/other" --validators 1 --base-port \
    "$BASE_PORT" >/dev/null
potctl testnet ps --dir "$WORK/other" >"$WORK/out"
grep -q '^validator0  *-  *stopped (another network answers)' "$WORK/out" ||
    miss "testnet ps of another network: $(cat "$WORK/out")"
potctl testnet ps --dir "$NET" --json |
    holds '.nodes[0] | .state == "running" and .height >= 0' || miss "testnet ps"
cp "$node/node.toml" "$WORK/node.toml"
echo '= =' >>"$node/node.toml"
potctl testnet ps --dir "$NET" >"$WORK/out" 2>"$WORK/err"
grep -q "^validator0  *$(cat "$node/pid")  *running  *-" "$WORK/out" &&
    grep -q 'validator0: where its API is cannot be read' "$WORK/err" ||
    miss "testnet ps beside a broken node.toml: $(cat "$WORK/out" "$WORK/err")"
cp "$WORK/node.toml" "$node/node.toml"

# ---- potctl: tasks and data sets

# rejects CODE TEXT COMMAND...
rejects() {
    code=$1
    text=$2
    shift 2
    got=0
    ctl validator0 "$@" >"$WORK/out" 2>"$WORK/err" || got=$?
    [ "$got" -eq "$code" ] ||
        miss "potctl $*: exit $got, not $code: $(cat "$WORK/err")"
    grep -qF -- "$text" "$WORK/err" ||
        miss "potctl $*: no \"$text\": $(cat "$WORK/err")"
    [ "$(grep -c '^potctl: ' "$WORK/err")" -eq 1 ] ||
        miss "potctl $*: not one line of error: $(cat "$WORK/err")"
}

task=$(make_task bad 5 audit_rate=1.0)
# bad_task CODE TEXT SED-EXPRESSION
bad_task() {
    sed "$3" "$task" >"$WORK/spoilt.toml"
    ! cmp -s "$task" "$WORK/spoilt.toml" || fail "$3 changes nothing"
    rejects "$1" "$2" submit-task "$WORK/spoilt.toml"
}

rejects 3 'none.toml' submit-task "$WORK/none.toml"
rejects 4 "is it a node's p2p port?" status --node "http://127.0.0.1:$BASE_PORT"
rejects 4 "is it a node's p2p port?" status --node "127.0.0.1:$BASE_PORT"
rejects 2 'not a URL such as' status --node "gopher://127.0.0.1:$BASE_PORT"
bad_task 6 'rounds' 's/^rounds = .*/rounds = 0/'
bad_task 6 'rouns' 's/^rounds/rouns/'
bad_task 6 'activation' 's/^activation = .*/activation = "magic"/'
bad_task 6 'learning_rate' 's/^learning_rate = .*/learning_rate = -1.0/'
bad_task 6 'audit_rate' 's/^audit_rate = .*/audit_rate = 2.0/'
bad_task 6 'layers' 's/^layers = .*/layers = [64]/'
bad_task 6 'digits-none.csv' 's/digits-train.csv/digits-none.csv/'
bad_task 6 'smaller reward.budget' 's/^budget = .*/budget = "9999999999"/'
printf 'a,b\n1,2\n3\n' >"$WORK/ragged.csv"
rejects 6 'ragged.csv:3' dataset import "$WORK/ragged.csv" --out "$WORK/ragged.pds"
head -c 5000 /dev/urandom >"$WORK/noise.pds"
rejects 6 'noise' dataset publish "$WORK/noise.pds"

# ---- stakes: what is there, what was asked, what is needed

rejects 6 'refused: 0 POT are at stake as a validator, 1 were to be added, and' \
    stake --role validator --amount 1
rejects 6 'refused: 0 POT are at stake as a miner, and 2.5 were asked back' \
    unstake --role miner --amount 2.5
rejects 6 '950 were asked back, and 100 must remain; take back at most 900' \
    unstake --role miner --amount 950 --key "$NET/miner0/key"

# ---- transactions

nonce() { ctl validator0 balance --json | jq -r .nonce; }

# tx STATUS CODE KIND NONCE: what the node says to it
tx() {
    "$BUILD/tests/e2e/bad_tx" "$POTCTL_KEY" "$chain" "$4" "$3" >"$WORK/tx"
    got=$(curl -sS -o "$WORK/answer" -w '%{http_code}' \
        --data-binary "@$WORK/tx" "$url/v1/txs")
    [ "$got" = "$1" ] || miss "tx $3: HTTP $got, not $1: $(cat "$WORK/answer")"
    [ "$(jq -r '.error.code // "taken"' "$WORK/answer")" = "$2" ] ||
        miss "tx $3: not $2: $(cat "$WORK/answer")"
}

is_past_nonce() { [ "$(nonce)" -gt "$1" ]; }

await 10 "a few blocks" reaches validator0 3
at=$(nonce)
tx 422 bad_signature signature "$at"
tx 422 bad_signature chain "$at"
tx 422 fee_low fee "$at"
tx 422 expired expired "$at"
tx 422 amount_zero zero "$at"
tx 400 malformed action "$at"
tx 400 malformed garbage "$at"
tx 400 malformed trailing "$at"
tx 400 malformed unknown "$at"
tx 413 body_too_large size "$at"
tx 202 taken good "$at"
await 10 "it is committed" is_past_nonce "$at"
tx 422 nonce_used good "$at"
[ "$(nonce)" -eq $((at + 1)) ] || miss "one transaction, nonce $(nonce)"

# One that waits for an earlier nonce is the same when it is sent again.
tx 202 taken good $((at + 2))
holds '.known == false' "$WORK/answer" || miss "new: $(cat "$WORK/answer")"
cp "$WORK/tx" "$WORK/first"
tx 202 taken good $((at + 2))
holds .known "$WORK/answer" || miss "known: $(cat "$WORK/answer")"
"$BUILD/tests/e2e/bad_tx" "$POTCTL_KEY" "$chain" $((at + 3)) good >"$WORK/tx"
for each in first tx tx; do
    size=$(stat -c %s "$WORK/$each") # below 2^16
    printf "$(printf '\\%03o\\%03o\\0\\0' $((size % 256)) $((size / 256)))"
    cat "$WORK/$each"
done >"$WORK/batch"
curl -sS --data-binary "@$WORK/batch" "$url/v1/txs/batch" >"$WORK/answer"
holds '.accepted == 3 and .known == 2 and .refused == []' "$WORK/answer" ||
    miss "of three sent one is new: $(cat "$WORK/answer")"

# ---- HTTP

# http STATUS CURL-ARGUMENTS...
http() {
    want=$1
    shift
    got=$(curl -sS -o "$WORK/answer" -w '%{http_code}' --path-as-is "$@" \
        2>"$WORK/err") || true
    [ "$got" = "$want" ] || miss "$*: HTTP $got, not $want: $(cat "$WORK/answer")"
    case $want in
    4*) holds '.error.code and .error.message' "$WORK/answer" ||
        miss "$*: no error in JSON: $(cat "$WORK/answer")" ;;
    esac
}

http 404 "$url/v1/nothing"
http 404 "$url/v1/../../../../etc/passwd"
http 404 "$url/%2e%2e/%2e%2e/etc/passwd"
http 405 -X DELETE "$url/v1/status"
http 405 -X PUT --data x "$url/v1/txs"
http 403 -H 'Host: evil.example' "$url/v1/status"
http 403 -H 'Origin: http://evil.example' --data x "$url/v1/txs"
http 400 "$url/v1/blocks/latest%00"
http 400 "$url/v1/blocks?from=x"
http 400 "$url/v1/accounts/pot1nonsense"
http 400 "$url/v1/txs/zz"
http 404 "$url/v1/blocks/99999999"
http 404 "$url/v1/txs/$(printf '%064d' 0)"
http 404 "$url/v1/tasks/$(printf '%064d' 0)"
http 400 --data '' "$url/v1/txs"
head -c 3000000 /dev/zero >"$WORK/large"
http 413 --data-binary "@$WORK/large" "$url/v1/txs"
http 200 "$url/v1/status"

# Not HTTP at all, a head that never ends, and many who say nothing.
port=$(port_of validator0)
bash -c "exec 3<>/dev/tcp/127.0.0.1/$port; head -c 20000 /dev/urandom >&3;
    timeout 5 cat <&3" >"$WORK/out" 2>/dev/null || true
bash -c "exec 3<>/dev/tcp/127.0.0.1/$port
    printf 'GET /v1/status HTTP/1.1\r\nHost: localhost\r\n' >&3
    for i in \$(seq 3000); do printf 'X-%d: 0123456789\r\n' \$i >&3; done
    timeout 5 cat <&3" >"$WORK/out" 2>/dev/null || true
bash -c "for i in \$(seq 100); do exec {fd}<>/dev/tcp/127.0.0.1/$port || :
    printf 'GET /v1/st' >&\$fd; done; exec tail --pid=$$ -f /dev/null" \
    2>/dev/null &
slow=$!
await 25 "an answer beside slow clients" curl -fsS -m 2 "$url/v1/status"
kill "$slow" 2>/dev/null || true

# Nothing of this left a trace.
is_ready validator0 >/dev/null || miss "not ready: $(is_ready validator0)"
stop_cleanly $names
verify_stores $names
genesis 's/"time_ms": *"*/&1/' 'genesis.json: the store in home belongs to another'
no_bugs
[ "$failures" -eq 0 ] || fail "$failures of the inputs"
echo "all bad input was refused as it should be"
