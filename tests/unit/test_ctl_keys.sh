#!/bin/bash
# Encrypted keys: potctl asks at a terminal, or reads a file.
. "${srcdir:-.}/tests/unit/ctl_lib.sh"

address=$("$potctl" key new "$dir/a.key")
words="$dir/words"
(umask 077; echo 'eight or more' >"$words"; echo short >"$dir/short"
    echo 'eight and more' >"$dir/other")
expect 2 'is no terminal' key encrypt "$dir/a.key" </dev/null
expect 2 'too short' key encrypt "$dir/a.key" --passphrase-file "$dir/short"
check 'a refusal changes nothing' grep -q '^potsec1' "$dir/a.key"
expect 0 "$address" key encrypt "$dir/a.key" --passphrase-file "$words"
check 'the key is not in plain' grep -q '^potkey1:' "$dir/a.key"
check 'it is its owner'"'"'s alone' [ "$(stat -c %a "$dir/a.key")" = 600 ]
expect 0 "$address" key show "$dir/a.key" </dev/null
expect 0 '"encrypted":true' key show "$dir/a.key" --json </dev/null
expect 3 'encrypted already' key encrypt "$dir/a.key" --passphrase-file "$words"
expect 3 'a passphrase is needed' transfer --to "$address" --amount 1 \
    --node $dead --key "$dir/a.key" </dev/null
expect 3 'wrong passphrase' transfer --to "$address" --amount 1 --node $dead \
    --key "$dir/a.key" --passphrase-file "$dir/other"
expect 3 "that of the file $dir/other does not open it" key decrypt \
    "$dir/a.key" --passphrase-file "$dir/other"
expect 3 "a.key: its passphrase file $dir/none: not found" key decrypt \
    "$dir/a.key" --passphrase-file "$dir/none"
expect 4 'cannot reach' transfer --to "$address" --amount 1 --node $dead \
    --key "$dir/a.key" --passphrase-file - <"$words"
POTCTL_PASSPHRASE_FILE=$words expect 4 'cannot reach' transfer \
    --to "$address" --amount 1 --node $dead --key "$dir/a.key"
chmod 644 "$words"
expect 3 "its passphrase file $words: permission refused: others can read it: chmod 600 '$words'" \
    key decrypt "$dir/a.key" --passphrase-file "$words"
chmod 600 "$words"
head -c 200 "$dir/a.key" >"$dir/cut.key"
chmod 600 "$dir/cut.key"
expect 3 'stored data damaged' key show "$dir/cut.key"
expect 0 "$address" key decrypt "$dir/a.key" --passphrase-file "$words"
expect 3 'in plain already' key decrypt "$dir/a.key"

# typed TEXT ARGUMENTS...: potctl at a terminal, TEXT typed once it asks; what
# the terminal showed stands in $dir/shown.
typed()
{
    local text=$1 words
    shift
    printf -v words '%q ' "$potctl" "$@"
    : >"$dir/shown"
    (
        for _ in $(seq 200); do
            grep -q 'passphrase.*: ' "$dir/shown" && break
            sleep 0.05
        done
        printf "$text"
    ) | timeout 20 script -qefc "$words" "$dir/shown" >/dev/null 2>&1
}
typed 'typed by hand\ntyped by hand\n' key new --encrypt "$dir/t.key"
check 'a typed passphrase encrypts' grep -q '^potkey1:' "$dir/t.key"
check 'it is not shown' eval '! grep -q "by hand" "$dir/shown"'
typed 'typed by hand\nhand by typed\n' key new --encrypt "$dir/u.key"
check 'two passphrases that differ make no key' [ ! -e "$dir/u.key" ]
typed 'typed by\003' key decrypt "$dir/t.key"
check 'control-C gives it up' grep -q 'cancelled' "$dir/shown"
typed 'typed by hand\n' key decrypt "$dir/t.key"
check 'a typed passphrase decrypts' grep -q '^potsec1' "$dir/t.key"

finish
