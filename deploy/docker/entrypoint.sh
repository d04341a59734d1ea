#!/bin/sh
# Takes the group of the mounted Docker socket, then goes on as an ordinary user.
set -eu

if [ "${1:-}" = healthcheck ]; then
  exec python3 -IS /usr/local/lib/fks_master/healthcheck.py
fi

# `docker run IMAGE --port 9091` and `docker run IMAGE compose ps` both mean the program.
case "${1:-serve}" in
  fks_master | fks-master | sh | bash | python3 | /*) ;;
  *) set -- fks_master "$@" ;;
esac

# Our process 1 is an ordinary user like its child: root without CAP_KILL could not pass SIGTERM on.
set -- tini -s -- "$@"

if [ "$(id -u)" != 0 ]; then
  exec "$@"
fi

groups=$(id -g fks)
socket=${DOCKER_HOST:-unix:///var/run/docker.sock}
socket=${socket#unix://}
if [ -S "$socket" ]; then
  groups="$groups,$(stat -c %g "$socket")"
fi
# A folder that Docker made belongs to root; one that somebody else owns is left as it is.
if [ "$(stat -c %u /app/data)" = 0 ] && ! chown fks:fks /app/data 2>/dev/null; then
  echo "fks_master: /app/data belongs to root, and this container may not change that: history will not be kept." >&2
  echo "fks_master: on the host: chown 9090:9090 FOLDER; or give the container --cap-add CHOWN" >&2
fi
exec setpriv --reuid fks --regid fks --groups "$groups" --inh-caps=-all --no-new-privs -- "$@"
