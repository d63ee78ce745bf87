#!/usr/bin/env bash
# From Enter to the report on a live Envoy, beside curl that fetches the same pages one after another.
# Usage: benches/live.sh [ROUNDS]; needs target/venv (.ci/run makes it), curl, and a build of casebook.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-20}
casebook=${CASEBOOK:-target/release/casebook}
envoy=${CASEBOOK_ENVOY:-target/venv/bin/envoy}
folder=$(mktemp -d)
trap 'kill "${proxy:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT

cat >"$folder/envoy.yaml" <<'YAML'
node: { id: bench, cluster: bench }
admin: { address: { socket_address: { address: 127.0.0.1, port_value: 0 } } }
YAML
"$envoy" -c "$folder/envoy.yaml" --admin-address-path "$folder/admin" --disable-hot-restart --concurrency 1 2>/dev/null &
proxy=$!
until [ -s "$folder/admin" ]; do sleep 0.05; done
base="http://$(cat "$folder/admin")"
mapfile -t pages < <("$casebook" plan -r envoy --set "admin=$base" --json | grep -o '"action": "GET [^"]*' | sed 's/.*GET //')
until [ "$(curl -s "$base/ready")" = LIVE ]; do sleep 0.05; done

# Milliseconds of one round, the median of all.
median() {
  for _ in $(seq "$rounds"); do
    start=$(date +%s%N)
    "$@" >/dev/null 2>&1 || true
    echo $((($(date +%s%N) - start) / 1000))
  done | sort -n | sed -n "$(((rounds + 1) / 2))p"
}
fetch() { for page in "${pages[@]}"; do curl -s "$page"; done; }

curl_us=$(median fetch)
live_us=$(median "$casebook" run --live -r envoy --set "admin=$base")
awk -v pages="${#pages[@]}" -v rounds="$rounds" -v curl="$curl_us" -v live="$live_us" 'BEGIN {
  printf "%d pages, median of %d rounds\ncurl, one after another: %.1f ms\ncasebook run --live:      %.1f ms\nratio: %.2f\n",
    pages, rounds, curl / 1000, live / 1000, live / curl
}'
