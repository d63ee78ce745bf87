#!/usr/bin/env bash
# Process start to exit on a bundle of 1 MB with all shipped rulebooks, beside jq doing ten simple checks, in one run.
# Needs: hyperfine, jq, and `cargo build --release`.   benches/start.sh [BUNDLE]
set -euo pipefail
cd "$(dirname "$0")/.."
bundle=${1:-}
if [ -z "$bundle" ]; then
    # The example, its dump grown to about 1 MB by more clusters like its own.
    bundle=$(mktemp -d)
    trap 'rm -rf "$bundle"' EXIT
    cp examples/route-to-unknown-cluster/* "$bundle"
    jq '(.configs[] | select(.dynamic_active_clusters)).dynamic_active_clusters |=
        [range(28) as $copy | .[] | if $copy > 0 then .cluster.name += "-\($copy)" else . end]' \
        examples/route-to-unknown-cluster/config_dump.json > "$bundle/config_dump.json"
fi
checks='[.configs[] | (.dynamic_active_clusters // [] | length), (.dynamic_listeners // [] | map(select(.error_state)) | length),
  (.dynamic_warming_clusters // [] | length), (.dynamic_route_configs // [] | length), (.dynamic_warming_secrets // [] | length),
  ([.. | .rds? // empty | .route_config_name?] | length), ([.. | .virtual_hosts? // empty | .[].domains[]] | length),
  ([.. | .weighted_clusters? // empty] | length), ([.. | .expiration_time? // empty] | length), (.version_info // "")]'
wc -c "$bundle/config_dump.json"
hyperfine --warmup 5 --runs 40 --ignore-failure --shell=none \
    "target/release/casebook run $bundle" \
    "jq -c '$checks' $bundle/config_dump.json"
