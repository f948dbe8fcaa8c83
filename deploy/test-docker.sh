#!/bin/sh
# The image is built, the compose testnet of 4 validators and 2 miners comes
# up, trains a task submitted from the host, survives the loss of a
# container, and goes down.  Needs a Docker engine and docker-compose (or the
# compose plugin), and potctl in the build folder.
#
# Where debian:bookworm-slim cannot be pulled, a base image is made with
# debootstrap.  POT_APT_SETUP, a shell command, runs in the image before its
# packages are installed.
set -eu
source=$(cd "${srcdir:-.}" && pwd)
potctl=$(pwd)/potctl
base=${POT_BASE_IMAGE:-debian:bookworm-slim}
network=${POT_BUILD_NETWORK:-default}
work=$(mktemp -d)

if ! docker info >/dev/null 2>&1; then
    echo "no Docker engine answers: start one (dockerd &)" >&2
    exit 1
fi
if docker compose version >/dev/null 2>&1; then
    compose() { docker compose -f "$work/net/docker-compose.yml" "$@"; }
else
    compose() { docker-compose -f "$work/net/docker-compose.yml" "$@"; }
fi
finish() {
    status=$?
    [ "$status" -eq 0 ] || compose logs --tail 30 2>/dev/null || true
    compose down >/dev/null 2>&1 || true
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT

if ! docker image inspect "$base" >/dev/null 2>&1 &&
    ! docker pull -q "$base" >/dev/null 2>&1; then
    base=potd-base:local
    if ! docker image inspect "$base" >/dev/null 2>&1; then
        echo "no image can be pulled: making $base with debootstrap"
        debootstrap --variant=minbase bookworm "$work/root" \
            ${POT_DEBIAN_MIRROR:-} >"$work/debootstrap.log" 2>&1 ||
            { tail "$work/debootstrap.log" >&2; exit 1; }
        tar -C "$work/root" -c . | docker import - "$base" >/dev/null
        rm -rf "$work/root"
    fi
fi

echo "building potd:local on $base"
docker build -q --network "$network" --build-arg "BASE=$base" \
    --build-arg "POT_APT_SETUP=${POT_APT_SETUP:-true}" \
    -t potd:local -f "$source/deploy/Dockerfile" "$source" >/dev/null

"$potctl" testnet init --dir "$work/net" --compose >/dev/null
export POTCTL_NODE=http://127.0.0.1:26651 POTCTL_KEY="$work/net/client.key"
compose up -d

ready() { # until every container is healthy
    end=$(($(date +%s) + 90))
    until [ "$(docker ps --filter ancestor=potd:local \
        --filter health=healthy -q | wc -l)" -eq 6 ]; do
        [ "$(date +%s)" -lt "$end" ] || { echo "not healthy in time" >&2
            docker ps -a >&2; exit 1; }
        sleep 1
    done
}
ready
echo "six containers are healthy"

sed 's/^rounds *=.*/rounds = 60/' "$source/examples/digits/task.toml" \
    >"$work/task.toml"
cp "$source"/examples/digits/*.csv "$work/"
"$potctl" submit-task "$work/task.toml" --wait --json >"$work/result"
[ "$(tail -n 1 "$work/result" | jq -r .status)" = completed ] ||
    { cat "$work/result" >&2; exit 1; }
"$potctl" verify-chain --genesis "$work/net/genesis.json"

victim=$(docker ps --filter name=validator1 -q | head -n 1)
docker kill "$victim" >/dev/null
docker start "$victim" >/dev/null
ready
echo "a killed container is healthy again"

user=$(docker exec "$victim" id -u)
[ "$user" = 10001 ] || { echo "runs as $user, not 10001" >&2; exit 1; }
compose down
echo "1 passed, 0 failed"
