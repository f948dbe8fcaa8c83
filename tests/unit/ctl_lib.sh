# What the tests of potctl without a node share: exit codes, one error line.
set -u

potctl=$PWD/potctl
source=${srcdir:-.}
digits=$source/examples/digits
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
unset POTCTL_NODE POTCTL_KEY POTCTL_PASSPHRASE_FILE
failures=0
# Nobody listens there: port 1 is never given to a program.
dead=http://127.0.0.1:1

# expect CODE TEXT ARGUMENTS...: the exit code; on an error one line on
# stderr that holds TEXT, and nothing on stdout with --json.
expect()
{
    local code=$1 text=$2
    shift 2
    "$potctl" "$@" >"$dir/out" 2>"$dir/err"
    local got=$?
    local all
    all=$(cat "$dir/out" "$dir/err")
    if [ $got -ne "$code" ] || [[ $all != *"$text"* ]]; then
        echo "FAIL: potctl $*: exit $got instead of $code, or no \"$text\":"
        cat "$dir/out" "$dir/err"
        failures=$((failures + 1))
    elif [ "$code" -ne 0 ] &&
        ! tail -n 1 "$dir/err" | grep -q '^potctl: '; then
        echo "FAIL: potctl $*: no error line"
        failures=$((failures + 1))
    fi
}

check()
{
    if ! "${@:2}"; then
        echo "FAIL: $1"
        failures=$((failures + 1))
    fi
}

finish()
{
    if [ $failures -gt 0 ]; then
        echo "$failures failures"
        exit 1
    fi
    echo "all good"
}
