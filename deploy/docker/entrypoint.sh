#!/bin/sh
# Takes the group of the mounted Docker socket, then goes on as an ordinary user.
set -eu

if [ "${1:-}" = healthcheck ]; then
  exec python3 - <<'PYTHON'
import os, ssl, urllib.request
port = os.environ.get("FKS_MASTER_PORT") or "9090"
trust = ssl._create_unverified_context()  # our own certificate, on our own loopback
for scheme in ("https", "http") if os.environ.get("FKS_TLS_CERT") else ("http",):
    try:
        urllib.request.urlopen(f"{scheme}://127.0.0.1:{port}/health", timeout=4, context=trust)
        raise SystemExit(0)
    except OSError as error:
        reason = error
raise SystemExit(f"not healthy: {reason}")
PYTHON
fi

# `docker run IMAGE --port 9091` and `docker run IMAGE compose ps` both mean the program.
case "${1:-serve}" in
  fks_master | fks-master | sh | bash | python3 | /*) ;;
  *) set -- fks_master "$@" ;;
esac

if [ "$(id -u)" != 0 ]; then
  exec "$@"
fi

groups=$(id -g fks)
socket=${DOCKER_HOST:-unix:///var/run/docker.sock}
socket=${socket#unix://}
if [ -S "$socket" ]; then
  groups="$groups,$(stat -c %g "$socket")"
fi
# A volume that Docker made belongs to root; one that somebody else owns is left as it is.
if [ "$(stat -c %u /app/data)" = 0 ]; then
  chown fks:fks /app/data 2>/dev/null || echo "fks_master: /app/data cannot be given to the user fks; history may not be kept" >&2
fi
exec setpriv --reuid fks --regid fks --groups "$groups" --no-new-privs -- "$@"
