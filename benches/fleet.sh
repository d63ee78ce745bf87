#!/usr/bin/env bash
# 200 proxies in one bundle beside one proxy 200 times; 1,000 bundles in one call on two threads beside one, and their memory beside that of 10.
# Usage: benches/fleet.sh [EVIDENCE]; needs GNU time, and a build of casebook (CASEBOOK, else target/release/casebook).
set -euo pipefail
cd "$(dirname "$0")/.."
evidence=${1:-examples/route-to-unknown-cluster}
casebook=${CASEBOOK:-target/release/casebook}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/pods.yaml" <<'YAML'
casebook: 1
rulebook: pods
title: Where the proxies of many pods lie
uses: [envoy]
subjects:
  envoy.proxy: { captured: ["proxies/{pod}/"] }
YAML
for count in 1 20 200; do
  for pod in $(seq "$count"); do
    mkdir -p "$folder/fleet-$count/proxies/pod-$pod"
    cp "$evidence"/*.json "$folder/fleet-$count/proxies/pod-$pod/"
  done
done
mkdir "$folder/packed"
tar -czf "$folder/packed/0001.tgz" -C "$evidence" .
for number in $(seq -f %04g 2 1000); do cp "$folder/packed/0001.tgz" "$folder/packed/$number.tgz"; done

# Seconds and KiB of memory at most of one run, whatever it finds.
run() { /usr/bin/time -o "$folder/time" -f '%e %M' "$casebook" run "$@" >/dev/null 2>&1 || true; tail -1 "$folder/time"; }

read -r one one_kib < <(run "$folder/fleet-1" -r "$folder/pods.yaml")
read -r _ twenty_kib < <(run "$folder/fleet-20" -r "$folder/pods.yaml")
read -r all all_kib < <(run "$folder/fleet-200" -r "$folder/pods.yaml")
bundles() { RAYON_NUM_THREADS=$1 run "${@:2}" --format json-lines; }
read -r single _ < <(bundles 1 "$folder"/packed/*.tgz)
read -r double thousand_kib < <(bundles 2 "$folder"/packed/*.tgz)
read -r _ ten_kib < <(bundles 2 "$folder"/packed/000?.tgz "$folder/packed/0010.tgz")
awk -v one="$one" -v all="$all" -v one_kib="$one_kib" -v twenty="$twenty_kib" -v all_kib="$all_kib" -v single="$single" -v double="$double" \
  -v thousand="$thousand_kib" -v ten="$ten_kib" 'BEGIN {
  printf "200 proxies in one bundle: %.2f s, %.2f of 200 times one proxy (%.2f s)\n", all, all / (200 * one), one
  printf "memory at most: %d MiB, %.2f of that over 20 proxies, %.2f of that over one\n", all_kib / 1024, all_kib / twenty, all_kib / one_kib
  printf "1,000 bundles in one call: %.2f s on two threads, %.2f s on one: %.2f times the throughput\n", double, single, single / double
  printf "memory at most: %d MiB, %.2f of that over 10 bundles\n", thousand / 1024, thousand / ten
}'
