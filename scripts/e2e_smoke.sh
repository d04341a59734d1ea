#!/usr/bin/env bash
# Verifies the core chain api, data, engine, execution through the compose API of a running monitor.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/e2e_smoke.sh [--url URL] [--file FILE] [--project NAME] [--timeout SECONDS] [--keep]

1. brings fks_api, fks_data, fks_engine and fks_execution up through POST /api/compose,
2. waits until the monitor finds each of them up,
3. asks Compose for their state, and stops them again (not with --keep).

The key is read from FKS_MONITOR_API_KEY. Exit code 0: the chain works.

  scripts/e2e_smoke.sh --file docker-compose.yml --project fks
TEXT
}

url=http://127.0.0.1:9090 file=docker-compose.yml project=fks timeout=120 keep=no
while [ $# -gt 0 ]; do
  case "$1" in
    -h | --help) usage; exit 0 ;;
    --url) url=$2; shift ;;
    --file) file=$2; shift ;;
    --project) project=$2; shift ;;
    --timeout) timeout=$2; shift ;;
    --keep) keep=yes ;;
    *) echo "unknown option $1" >&2; usage >&2; exit 2 ;;
  esac
  shift
done
chain=(fks_api fks_data fks_engine fks_execution)
headers=(-H "Content-Type: application/json")
[ -z "${FKS_MONITOR_API_KEY:-}" ] || headers+=(-H "x-api-key: $FKS_MONITOR_API_KEY")

request() { curl --silent --show-error --max-time "$timeout" "${headers[@]}" "$@"; }
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)'"$1"')'; }
compose() {
  python3 - "$1" "$file" "$project" "${chain[@]}" <<'PYTHON' | request --data @- "$url/api/compose"
import json, sys
action, file, project, *services = sys.argv[1:]
print(json.dumps({"action": action, "file": file, "project": project, "services": services, "detach": action == "up"}))
PYTHON
}
succeed() {
  local answer
  answer=$(compose "$1")
  [ "$(field '.get("ok")' <<<"$answer")" = True ] || { echo "compose $1 failed: $(field '.get("stderr")' <<<"$answer")" >&2; exit 1; }
  echo "compose $1: ok"
}

[ "$(request "$url/health" | field '["status"]')" = healthy ] || { echo "the monitor at $url is not healthy" >&2; exit 1; }
succeed up
deadline=$((SECONDS + timeout))
for service in "${chain[@]}"; do
  until status=$(request "$url/api/services/$service/health" | field '.get("status")') && [[ $status == Healthy || $status == Degraded ]]; do
    [ $SECONDS -lt $deadline ] || { echo "$service is $status after $timeout s" >&2; exit 1; }
    sleep 1
  done
  echo "$service: $status"
done
succeed ps
[ "$keep" = yes ] || succeed stop
echo "The core chain works."
