#!/bin/sh
# Checks what is in deploy/. Stops at the first file that is wrong. Run it by `make lint-deploy`.
set -eu
cd "$(dirname "$0")/.."
rendered=$(mktemp -d)
trap 'rm -r "$rendered"' EXIT

echo "Dockerfiles"
hadolint deploy/Dockerfile deploy/Dockerfile.train
checkov --config-file deploy/checkov.yaml --file deploy/Dockerfile deploy/Dockerfile.train

echo "compose.yaml"
if docker compose version >/dev/null 2>&1; then docker compose config --quiet; else podman-compose config >/dev/null; fi

echo "Envoy"
envoy --mode validate --log-level warning -c deploy/envoy.yaml

echo "Prometheus"
if command -v promtool >/dev/null; then promtool check config deploy/prometheus.yml; else echo "left out: no promtool"; fi

# The smallest installation, and one with everything turned on.
echo "the chart"
helm lint deploy/helm/recsvc --values deploy/helm/examples/smallest.yaml
for example in deploy/helm/examples/*.yaml; do
    helm template shop deploy/helm/recsvc --kube-version 1.31.0 --namespace recommendations --values "$example" \
        >"$rendered/$(basename "$example")"
done
for version in 1.31 1.34; do kubernetes-validate --strict --quiet -k "$version" "$rendered"/*.yaml; done
checkov --config-file deploy/checkov.yaml --directory "$rendered"
echo "all of deploy/ is good"
