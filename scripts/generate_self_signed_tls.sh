#!/usr/bin/env bash
# Makes a self-signed certificate and its key.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/generate_self_signed_tls.sh [DIRECTORY] [NAME…]

Writes DIRECTORY/cert.pem and DIRECTORY/key.pem (default: certs), valid for 365 days for localhost, 127.0.0.1, ::1,
fks_master and every further NAME or address. Existing files are kept; remove them first.

  scripts/generate_self_signed_tls.sh certs ops.example 10.0.0.5
  FKS_TLS_CERT=certs/cert.pem FKS_TLS_KEY=certs/key.pem fks_master
TEXT
}

case "${1:-}" in -h | --help) usage; exit 0 ;; -*) usage >&2; exit 2 ;; esac
directory=${1:-certs}
[ $# -eq 0 ] || shift
command -v openssl >/dev/null || { echo "openssl is missing: apt-get install openssl" >&2; exit 1; }
for file in "$directory/cert.pem" "$directory/key.pem"; do
  [ ! -e "$file" ] || { echo "$file is there already; remove it first" >&2; exit 1; }
done

names="DNS:localhost,DNS:fks_master,IP:127.0.0.1,IP:::1"
for name in "$@"; do
  if [[ $name =~ ^[0-9.]+$ || $name == *:* ]]; then names+=",IP:$name"; else names+=",DNS:$name"; fi
done
mkdir -p "$directory"
umask 077
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -subj "/CN=fks_master" \
  -addext "subjectAltName=$names" -addext "extendedKeyUsage=serverAuth" \
  -keyout "$directory/key.pem" -out "$directory/cert.pem" 2>/dev/null
chmod 644 "$directory/cert.pem"
echo "FKS_TLS_CERT=$directory/cert.pem FKS_TLS_KEY=$directory/key.pem"
