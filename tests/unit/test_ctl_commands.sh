#!/bin/bash
# potctl without a node: exit codes, one error line, what test networks hold.
. "${srcdir:-.}/tests/unit/ctl_lib.sh"

# Usage.
expect 0 'protocol' --version
expect 0 '"protocol":' --version --json
expect 0 'usage: potctl' --help
expect 0 'usage: potctl transfer' help transfer
expect 0 'usage: potctl transfer' transfer --help
expect 0 'usage: potctl testnet init' testnet init --help
expect 2 'no command'
expect 2 'did you mean "status"' stauts
expect 2 'did you mean "testnet up"' testnet upp
expect 2 'did you mean "--node"?' status --nod $dead
expect 2 'did you mean "--node"?' --nod=$dead status
expect 2 'needs one of: init, up, down, ps' testnet
expect 2 '"extra" is not of "status"' help status extra
expect 2 '"extra" is not of "store verify"' help store verify extra
expect 2 '"--json" is not of "status"' help --list status --json
expect 0 'usage: potctl store verify' help store verify
expect 0 'store verify' help store
for group in key dataset store testnet debug; do
    expect 0 "usage: potctl $group COMMAND" $group --help
    expect 0 "  $group " $group -h
    expect 0 "potctl help $group COMMAND" --help $group
done
expect 2 'unknown command' shop --help
expect 2 'unknown command' help shop
expect 2 'needs --config' resync
expect 2 'rewards needs --task ID, --miner ADDRESS or both' rewards --node $dead
expect 2 'name --task and --miner' rewards --unpaid --node $dead
expect 2 'the first block is 1' block 0 --node $dead
expect 2 'needs --config' rollback --to 5
expect 2 'needs --config' unsafe-vote-now
expect 2 'one of --to HEIGHT and --blocks' rollback --config node.toml
expect 2 'did you mean "--json"' status --jsno
expect 2 'did you mean "--amount"' transfer --amonut 1
expect 2 'needs a value' transfer --to
expect 2 'option --task needs a value, and "--miner" looks like the next' \
    rewards --task --miner X --node $dead
expect 2 'option --node needs a value' --node --json status
expect 2 'needs --to' transfer
expect 2 'takes no argument, not 1' status now
expect 2 'must be a time' --timeout soon status
expect 2 'must be a number' tasks --limit many
expect 2 'task id' task 12
expect 2 'task id' watch 12
expect 2 'by its height' block newest
expect 4 'cannot reach' block "$(printf '%064d' 0)" --node $dead
expect 2 'no key was named' balance
expect 2 'not a URL' --node gopher://x status

# fits TEXT: in 80 columns.
fits()
{
    ! grep -q '.\{81\}' <<<"$1"
}

# Every command in the list has its help, and completion can list it.  Every
# one of the source is in the list, and in the manual.
"$potctl" help --list >"$dir/commands"
tr ' -' '__' <"$dir/commands" >"$dir/listed"
sed 's/\\-/-/g' "$source/docs/man/potctl.1" >"$dir/potctl.1"
check 'the list of commands is long enough' [ "$(wc -l <"$dir/commands")" -ge 25 ]
while read -r command; do
    # shellcheck disable=SC2086
    expect 0 'examples:' help $command
    # shellcheck disable=SC2086
    expect 0 '--json' help --list $command
    # shellcheck disable=SC2086
    check "the help of $command fits 80 columns" \
        fits "$("$potctl" help $command)"
    check "potctl.1 has $command" grep -qE \
        "^\.B (.*fB)?$command( |\\\\|\$)" "$dir/potctl.1"
done <"$dir/commands"
for command in $(sed -n 's/^const struct cli_command cmd_\([a-z_]*\) = {$/\1/p' \
    "$source"/ctl/*.c); do
    check "ctl/commands.h has cmd_$command" grep -qx "$command" "$dir/listed"
done

# Keys.
expect 0 'pot1' key new "$dir/a.key"
expect 1 'exists already' key new "$dir/a.key"
expect 0 "$("$potctl" key show "$dir/a.key")" key show "$dir/a.key"
check 'a key is its owner'"'"'s alone' [ "$(stat -c %a "$dir/a.key")" = 600 ]
chmod 644 "$dir/a.key"
expect 3 'chmod 600' key show "$dir/a.key"
chmod 600 "$dir/a.key"
# A full disk behind stdout.
for way in '' --json; do
    # shellcheck disable=SC2086
    "$potctl" key show "$dir/a.key" $way >/dev/full 2>"$dir/err"
    check "exit 10 when stdout is full: $way" [ $? -eq 10 ]
    check "it is said: $way" grep -qx \
        'potctl: cannot write to stdout: No space left on device' "$dir/err"
done

# Names of files need not be UTF-8.
odd=$dir/$'k\xff\xc3'
expect 0 'pot1' key new "$odd.key"
expect 0 'k\\xff\\xc3.key' key show "$odd.key" --json
expect 0 'k\\xff\\xc3"' testnet init --dir "$odd" --base-port 31650 --json
expect 0 'k\\xff\\xc3.pds' dataset import "$digits/digits-train.csv" \
    --out "$odd.pds" --json
expect 0 'k\\xff\\xc3.pds' dataset show "$odd.pds" --json
# shellcheck disable=SC2016
printf '#!/bin/sh\necho "$4 is a copy"\n' >"$dir/potd"
chmod 755 "$dir/potd"
expect 0 'k\\xff\\xc3 is a copy' store backup --config "$dir/node.toml" \
    --out "$odd" --potd "$dir/potd" --json
echo nonsense >"$dir/b.key"
expect 3 'must hold one line' key show "$dir/b.key"
chmod 600 "$dir/b.key"
expect 3 'must hold one line' key show "$dir/b.key"
expect 3 'not found' key show "$dir/none.key"
expect 3 'that is an address: name the file' balance --node $dead \
    --key "$("$potctl" key show "$dir/a.key")"

# What was given in place of an address, a task or an amount is said.
own=$("$potctl" key show "$dir/a.key")
other=${own%?}q
[ "$other" != "$own" ] || other=${own%?}p
hash=$(printf '%064d' 7)
for command in 'balance' "transfer --amount 1 --to" 'rewards --miner' \
    "challenge $hash 0"; do
    # shellcheck disable=SC2086
    {
        expect 2 'whose checksum is wrong' $command "$other"
        expect 2 'lacks characters: 62 are expected' $command "${own%?}"
        expect 2 'too many characters: 62 are expected' $command "${own}q"
        expect 2 'behind pot1 there' $command "${own%?}b"
        expect 2 'what stands before the @' $command "$own@127.0.0.1:26650"
        expect 2 'a hash, as a task' $command "$hash"
        expect 2 'a file; `potctl key show' $command "$dir/a.key"
        expect 2 'of another network' $command "cosmos1${own#pot1}"
        expect 2 'not an address; one reads pot1' $command validator0
        expect 2 'not an address; one reads pot1' $command ''
    }
done
for command in task watch cancel-task replay 'rewards --task' tx; do
    # shellcheck disable=SC2086
    {
        expect 2 "$own: an address; a t" $command "$own"
        expect 2 'a file; a t' $command "$digits/task.toml"
        expect 2 'too short; a t' $command "${hash%?}"
        expect 2 'too long; a t' $command "${hash}0"
        expect 2 'in capitals; a t' $command "A${hash#?}"
        expect 2 '64 lower-case hex digits' $command digits
    }
done
to="transfer --to $own --amount"
# shellcheck disable=SC2086
{
    expect 2 'is below zero' $to -5
    expect 2 'must be above 0' $to 0.0
    expect 2 'the number alone' $to '5 POT'
    expect 2 'more than nine decimals' $to 5.0000000001
    expect 2 'a point before its decimals' $to 12,5
    expect 2 'more than all money' $to 18446744073.709551616
    expect 2 'must be an amount in POT' $to five
}

# No node there: global options stand before or after the command.
for command in status validators miners peers tasks blocks 'block 1' \
    "rewards --task $(printf '%064d' 0)" "balance"; do
    # shellcheck disable=SC2086
    expect 4 'cannot reach' --node $dead --key "$dir/a.key" $command
    # shellcheck disable=SC2086
    expect 4 'cannot reach' $command --json --node $dead --key "$dir/a.key"
    check "stdout is empty: $command" [ ! -s "$dir/out" ]
done
address=$("$potctl" key show "$dir/a.key")
expect 4 'cannot reach' transfer --to "$address" --amount 1 --node $dead \
    --key "$dir/a.key"
POTCTL_NODE=$dead expect 4 "$dead" status

# Data sets and tasks.
expect 0 '"scale":16.0' dataset import "$digits/digits-train.csv" --json \
    --out "$dir/train.pds"
expect 0 'features          64, bytes divided by 16' dataset show "$dir/train.pds"
expect 6 "$digits/digits-train.csv: not a data set" dataset publish \
    "$digits/digits-train.csv"
expect 3 "cannot read $dir/none.pds: not found" dataset publish "$dir/none.pds"
expect 6 'not a data set' dataset show "$digits/digits-train.csv"
printf '1,a\n2,b\n' >"$dir/two.csv"
expect 0 'two.pds written' dataset import "$dir/two.csv"
expect 0 'two.pds written over what was there' dataset import "$dir/two.csv" \
    --out "$dir/two.pds"
expect 2 "would both become $dir/two.pds" dataset import "$dir/two.csv" \
    "$dir/two.csv"
sed -i 's/\x01a\x01b/\x01b\x01b/' "$dir/two.pds"
expect 6 'classes 0 and 1 are both called "b"' dataset import "$dir/two.pds" \
    --out "$dir/again.pds"
expect 6 'classes 0 and 1 are both called "b"' dataset publish "$dir/two.pds"
expect 3 'none.csv' dataset import "$dir/none.csv"
# What is read is not written over, by whatever name; a link stays a link.
cp "$dir/two.csv" "$dir/kept.csv"
ln -s two.csv "$dir/same.csv"
for name in two.csv same.csv; do
    expect 2 'would be written over' dataset import "$dir/two.csv" \
        --out "$dir/$name"
done
expect 2 'would be written over' dataset import "$dir/train.pds"
check 'it is what it was' cmp -s "$dir/two.csv" "$dir/kept.csv"
ln -s target.pds "$dir/link.pds"
touch "$dir/target.pds"
expect 0 'pds' dataset import "$dir/two.csv" --out "$dir/link.pds"
check 'the link is one' [ -L "$dir/link.pds" ]
check 'what it points at was written' [ -s "$dir/target.pds" ]
expect 3 "cannot read $dir: a folder, not a file" dataset show "$dir"
expect 3 "not a data set's address" dataset show 12ab
expect 3 "$dir: a folder, not a file" dataset import "$dir"
expect 3 "$dir: a folder, not a file" submit-task "$dir" --check
expect 3 "$dir: a folder, not a file" key show "$dir"
expect 1 "$dir: a folder, not a file" dataset import "$dir/two.csv" --out "$dir"
cp "$digits"/digits-*.csv "$digits/task.toml" "$dir"
expect 0 'fine' submit-task "$dir/task.toml" --check --node $dead
expect 0 'neither the balance nor the miners' submit-task "$dir/task.toml" \
    --check --node $dead
expect 0 '{"ok":true,"errors":[],"warnings":[],"cost":null,"balance":null}' \
    submit-task "$dir/task.toml" --check --json --node $dead
sed 's/^test = .*/test = "digits-train.csv"/' "$dir/task.toml" >"$dir/same.toml"
expect 0 'warning: '"$dir"'/same.toml:8: data.test: the test set is the training' \
    submit-task "$dir/same.toml" --check --node $dead
expect 0 '"warnings":["'"$dir"'/same.toml:8: data.test: ' \
    submit-task "$dir/same.toml" --check --json --quiet --node $dead
check 'a warning is no note with --quiet' [ ! -s "$dir/err" ]
expect 0 'same.toml: it can be sent, with 1 warning above' \
    submit-task "$dir/same.toml" --check --node $dead
expect 0 '' submit-task "$dir/same.toml" --check --quiet --node $dead
check 'a check says nothing with --quiet' [ ! -s "$dir/out" ]
expect 3 '{"ok":false,"errors":["cannot read the task file '"$dir"'/none.toml: not found' \
    submit-task "$dir/none.toml" --check --json --node $dead
sed 's/^layers.*/layers = [63, 10]/' "$dir/task.toml" >"$dir/bad.toml"
expect 6 '{"ok":false,"errors":["'"$dir"'/bad.toml:' \
    submit-task "$dir/bad.toml" --check --json --node $dead
expect 4 'cannot reach' submit-task "$dir/task.toml" --node $dead \
    --key "$dir/a.key"
expect 3 'cannot read' submit-task "$dir/none.toml"
# task EDIT TEXT: the task with a sed edit is refused with TEXT.
task()
{
    sed "$1" "$dir/task.toml" >"$dir/bad.toml"
    expect 6 "$2" submit-task "$dir/bad.toml" --check --node $dead
}
task 's/^numerics.*/numerics = "exact"/;s/^budget.*/budget = "1000000"/' \
    'raise reward.miner_stake to "137416.666666667" or training.audit_rate, or lower reward.budget'
sed 's/^learning_rate.*/learning_rate = 0.000001/; s/^momentum.*/momentum = 0/' \
    "$dir/task.toml" >"$dir/slow.toml"
expect 0 'optimizer.learning_rate: 0.000001 changes next to nothing' \
    submit-task "$dir/slow.toml" --check --node $dead
task 's/^rounds/ruonds/' 'did you mean "training.rounds"'
task 's/^layers.*/layers = [63, 10]/' 'the data has 64 features'
task 's/^layers.*/layers = [64, 11]/' 'the data has 10 classes'
task 's/^rows_per_miner.*/rows_per_miner = 2000/' 'training.rows_per_miner'
task 's/^rounds.*/rounds = 0/' 'training.rounds: must be from 1'
task 's/^train = .*/train = "none.csv"/' \
    "bad.toml:$(grep -n ^train "$dir/task.toml" | cut -d : -f 1): data.train: $dir/none.csv: not found"
task 's/^test = .*/test = "none.csv"/' 'data.test: '
task 's/^label = .*/train_labels = "none.idx"/;s/^train = .*/train = "train.idx"/' \
    'data.train: '
task 's/^aggregation.*/aggregation = "krum"/' 'training.min_submissions: is 1, and the aggregation rule needs'
task 's/^name.*/name = /' 'bad.toml:'

# Test networks.
net=$dir/net
expect 0 'testnet up' testnet init --dir "$net" --base-port 31650
expect 3 'not empty' testnet init --dir "$net"
for node in validator0 validator3 miner0 miner1; do
    check "$node has a config" [ -s "$net/$node/node.toml" ]
    check "$node has a key" [ "$(stat -c %a "$net/$node/key")" = 600 ]
    check "$node knows the five others" \
        [ "$(grep -c '@127.0.0.1:' "$net/$node/node.toml")" = 5 ]
done
check 'no more validators' [ ! -e "$net/validator4" ]
check 'miner1 is on base + 10' grep -q '^listen = "127.0.0.1:31660"' \
    "$net/miner1/node.toml"
check 'miner1 has its API on base + 11' \
    grep -q '^listen = "127.0.0.1:31661"' "$net/miner1/node.toml"
check 'the client is funded' grep -q '"1000000000000000"' "$net/genesis.json"
expect 0 'stopped' testnet ps --dir "$net"
expect 0 '' --quiet testnet down --dir "$net"
check 'down says nothing with --quiet' [ ! -s "$dir/out" ]
expect 1 'stopped with exit code 1' --quiet testnet up --dir "$net" --potd /bin/false
check 'up says nothing but the error with --quiet' [ ! -s "$dir/out" ]
expect 0 '' --quiet testnet init --dir "$dir/quiet" --base-port 31650
check 'init says nothing with --quiet' [ ! -s "$dir/out" ]
echo 2147483646 >"$net/miner0/potd.pid" # above all process numbers
expect 0 'miner0/potd.pid names process 2147483646, which is not miner0 any more: it ended without' \
    testnet ps --dir "$net"
check 'the stale file is gone' [ ! -e "$net/miner0/potd.pid" ]
expect 0 '"pid":null' testnet ps --dir "$net" --json

# in_time COMMAND...: until it is so, for ten seconds.
in_time()
{
    for ((i = 0; i < 1000; i++)); do
        "$@" && return
        sleep 0.01
    done
    return 1
}

# Whether a process is at miner0's folder, which is locked, or has ended.
waits_or_ended()
{
    for fd in "/proc/$1/fd"/*; do
        [ "$(readlink "$fd")" = "$(realpath "$net/miner0")" ] && return
    done
    ! kill -0 "$1" 2>"$dir/gone"
}

# Nor is a pid file looked at while a node is started, whose process may not be
# potd yet.
echo 2147483646 >"$net/miner0/potd.pid"
exec 9<"$net/miner0"
flock 9
"$potctl" testnet ps --dir "$net" >"$dir/out" 2>"$dir/err" 9<&- &
ps=$!
check 'ps waits' in_time waits_or_ended $ps
tail -f "$net/miner0/node.toml" >"$dir/tail" 2>&1 9<&- &
started=$!
check 'it runs' in_time grep -q node.toml /proc/$started/cmdline
echo $started >"$net/miner0/potd.pid"
exec 9<&-
wait $ps
check 'it shows who was started' grep -q "^miner0 *$started " "$dir/out"
check 'and says nothing of a stale file' [ ! -s "$dir/err" ]
check 'the file stays' [ -e "$net/miner0/potd.pid" ]
kill -STOP $started
check 'it is paused' in_time grep -q '^State:.T' /proc/$started/status
expect 0 'stopped (by a signal)' testnet ps --dir "$net"
kill -CONT $started
kill $started
wait $started 2>"$dir/gone"
rm "$net/miner0/potd.pid"
expect 0 '0 nodes stopped' testnet down --dir "$net"
expect 1 'validator0' testnet up --dir "$net" --detach --potd /bin/false
check 'a failed start leaves no pid file' [ ! -e "$net/validator0/potd.pid" ]
expect 3 '--potd' testnet up --dir "$net" --potd "$dir/none"
expect 3 'testnet init' testnet up --dir "$dir/none"

# One that was started by hand is seen, and left alone.
mkdir -p "$net/validator1/store"
exec 9>"$net/validator1/store/LOCK"
flock 9
echo $$ >&9
expect 0 "\"pid\":$$" testnet ps --dir "$net" --json
expect 1 '1 of 6 nodes run already' testnet up --dir "$net" --detach --potd /bin/false

# One that was killed a moment ago is still there, with its lock, though it
# does not run any more: that is waited for.
exec 9>"$net/validator1/store/LOCK"
flock 9
(
    tail -f /dev/null &
    echo $! >&9
    exec tail -f /dev/null # which looks after no child
) &
holder=$!
exec 9>&-
check 'its lock names it' in_time grep -q . "$net/validator1/store/LOCK"
killed=$(cat "$net/validator1/store/LOCK")
kill -9 "$killed"
check 'it has ended' in_time grep -q '^State:.Z' "/proc/$killed/status"
asks_again_or_ended()
{
    awk '/^voluntary_ctxt_switches/ { exit !($2 > 10) }' "/proc/$1/status" \
        2>"$dir/gone" || ! kill -0 "$1" 2>"$dir/gone"
}
"$potctl" testnet ps --dir "$net" >"$dir/out" 2>"$dir/err" &
ps=$!
check 'ps asks again' in_time asks_again_or_ended $ps
kill $holder
wait $ps
check 'it does not run any more' grep -q '^validator1 .*stopped' "$dir/out"
wait $holder 2>"$dir/gone"
rm -r "$net/validator1/store"
expect 4 'cannot reach' verify-chain --genesis "$net/genesis.json" --node $dead
sed 's/"epoch_blocks"/"epoch"/' "$net/genesis.json" >"$dir/bad.json"
expect 3 'params.epoch: unknown key' verify-chain --genesis "$dir/bad.json"
expect 3 'not found' verify-chain --genesis "$dir/none.json"

expect 0 '"nodes":' testnet init --dir "$dir/one" --validators 1 --miners 0 --json
check 'a lone validator mines' \
    [ "$(grep -c '^enabled = true' "$dir/one/validator0/node.toml")" = 3 ]
expect 0 'potctl status --check   # compose does not wait' \
    testnet init --dir "$dir/box" --compose
check 'containers name each other' grep -q '@validator1:26652"' \
    "$dir/box/miner0/node.toml"
check 'every node is a service' \
    [ "$(grep -c 'image: potd:local' "$dir/box/docker-compose.yml")" = 6 ]
check 'ports are on loopback only' \
    [ "$(grep -c 'ports: \["127.0.0.1:' "$dir/box/docker-compose.yml")" = 6 ]
expect 3 'docker-compose up' testnet up --dir "$dir/box"
expect 2 'base-port' testnet init --dir "$dir/high" --base-port 65530

finish
