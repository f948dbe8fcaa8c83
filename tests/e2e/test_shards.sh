#!/bin/sh
# A miner trains on a data set eight times as large as what it may keep of it.
# It fetches the shards that its rows lie in, is killed while it does, and is
# lied to by a validator, which it bans.  It comes to the gradients that a
# replay makes of the whole, bit for bit; neither it nor its worker ever holds
# more than a part.
. "${srcdir:-.}/tests/e2e/lib.sh"
. "$SOURCE/tests/byz/byz.sh"
MB=32
CACHE_MB=4
ROW=1024
ROWS=$((MB * 1048576 / ROW))

npy() { # shape: the head of an array of bytes
    printf '\223NUMPY\001\000\166\000%-117s\n' \
        "{'descr': '|u1', 'fortran_order': False, 'shape': ($1), }"
}
array() { # name rows: of five classes
    { npy "$2, $ROW" && head -c $(($2 * ROW)) /dev/urandom; } >"$WORK/$1.npy"
    { npy "$2," && yes "$(printf '\001\002\003\004')" | head -c "$2"; } \
        >"$WORK/$1-labels.npy"
}
array train "$ROWS"
array test 100
cat >"$WORK/large.toml" <<'TOML'
name = "large"
[data]
train = "train.npy"
train_labels = "train-labels.npy"
test = "test.npy"
test_labels = "test-labels.npy"
[model]
layers = [1024, 16, 5]
[training]
rounds = 12
round_timeout_ms = 600000
rows_per_miner = 512
shards_per_round = 2
audit_rate = 1.0
eval_every = 12
[reward]
budget = "10"
TOML

cache() { # field: of miner0's cache
    get miner0 /v1/status | jq -r ".data_cache.$1"
}
has_fetched() { [ "$(cache misses)" -gt 0 ]; }
peak_kb() { awk '/^VmHWM/ { print $2 }' "/proc/$1/status"; }
worker_of() { pgrep -P "$(cat "$NET/$1/pid")" -f pot-worker | head -n 1; }
start_miner() {
    POTD_DATA_CACHE_MB=$CACHE_MB start miner0
    await_ready miner0
}

init_net 2 1
start validator0
start_byz validator1 data-lies
await_ready validator0 validator1
start_miner
task=$(submit validator0 "$WORK/large.toml")
await 60 "the first shards" has_fetched
kill_hard miner0
start_miner
base_kb=$(peak_kb "$(cat "$NET/miner0/pid")")
await 60 "most rounds" round_reaches validator0 "$task" 8
node_kb=$(peak_kb "$(cat "$NET/miner0/pid")")
worker_kb=$(peak_kb "$(worker_of miner0)")
await 60 "the task ended" has_ended validator0 "$task"

# Who sent what is not its hash's was found, and is asked no more.
grep -q 'sent a blob that is not its hash' "$NET/miner0/potd.log" ||
    fail "the liar was not found"

task_of validator0 "$task" >"$WORK/task.json"

# Bounded on disk and in memory; the labels of all rows would be 64 kB.
kept_kb=$(du -sk "$NET/miner0/datasets" | cut -f 1)
[ "$kept_kb" -le $((CACHE_MB * 1024 + 512)) ] || fail "$kept_kb kB kept"
[ "$(cache bytes)" -le $((CACHE_MB << 20)) ] || fail "$(cache bytes) bytes kept"
[ "$node_kb" -lt $((base_kb + MB * 512)) ] ||
    fail "the miner held $node_kb kB, $base_kb kB before"
[ "$worker_kb" -lt $((MB * 512)) ] || fail "a worker held $worker_kb kB"
[ "$(cache evictions)" -gt 0 ] || fail "no evictions: $(get miner0 /v1/status)"
[ "$(metric miner0 pot_data_cache_evictions_total)" -gt 0 ] ||
    fail "no evictions in the metrics"
! ls "$NET"/miner0/datasets/*.pds 2>/dev/null || fail "rows were left"

# Who holds the whole has it in files that are mapped, not in memory.
anon_kb=$(awk '/^RssAnon/ { print $2 }' \
    "/proc/$(cat "$NET/validator0/pid")/status")
[ -e "$NET/validator0/datasets/$(jq -r .train_dataset "$WORK/task.json").pds" ] ||
    fail "a validator does not hold the set"
[ "$anon_kb" -lt $((MB * 1024)) ] || fail "a validator held $anon_kb kB"

# All were audited by one who holds the whole, and a replay has it too.
holds '.status == "completed" and .rejected == 0 and .submissions == 12' \
    "$WORK/task.json" || fail "$(cat "$WORK/task.json")"
ctl validator0 replay "$task" --json >"$WORK/replay.json" ||
    fail "replay: $(cat "$WORK/replay.json")"
holds --slurpfile task "$WORK/task.json" '.identical and
    .gradients == $task[0].submissions and
    .parameters_hash == $task[0].parameters_hash' "$WORK/replay.json" ||
    fail "$(cat "$WORK/replay.json")"
stop_cleanly $names
no_bugs
echo "miner $base_kb kB, then $node_kb kB, worker $worker_kb kB, kept $kept_kb kB of $((MB * 1024))" \
    "kB; validator $anon_kb kB"
