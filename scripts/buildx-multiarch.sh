#!/usr/bin/env bash
# Builds the image for amd64 and arm64.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/buildx-multiarch.sh IMAGE[:TAG] [--push]

Builds for linux/amd64 and linux/arm64 with the buildx builder fks_builder, which is made when missing.
With --push both go to the registry. Without it both are built, and this machine's own is loaded into Docker.

  scripts/buildx-multiarch.sh fks_master:dev
  scripts/buildx-multiarch.sh registry.example/fks_master:1.0.0 --push
TEXT
}

image="" push=no
for argument in "$@"; do
  case "$argument" in
    -h | --help) usage; exit 0 ;;
    --push) push=yes ;;
    -*) echo "unknown option $argument" >&2; usage >&2; exit 2 ;;
    *) [ -z "$image" ] || { echo "only one image, found $image and $argument" >&2; exit 2; }
       image=$argument ;;
  esac
done
[ -n "$image" ] || { usage >&2; exit 2; }

cd "$(dirname "$0")/.."
docker buildx version >/dev/null 2>&1 || { echo "docker buildx is missing: install Docker's buildx plugin" >&2; exit 1; }
docker buildx inspect fks_builder >/dev/null 2>&1 || docker buildx create --name fks_builder >/dev/null

build=(docker buildx build --builder fks_builder)
if [ "$push" = yes ]; then
  "${build[@]}" --platform linux/amd64,linux/arm64 --tag "$image" --push .
else
  "${build[@]}" --platform linux/amd64,linux/arm64 --tag "$image" .
  "${build[@]}" --tag "$image" --load .
fi
