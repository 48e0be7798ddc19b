#!/usr/bin/env bash
# The end-to-end tests on Debian's own PostgreSQL 15, in a cluster of its own that is gone afterwards;
# «tests/postgresql15.sh bench» measures on it, for it has the pg_stat_statements that the wheel lacks.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=/usr/lib/postgresql/15/bin
if [ ! -x "$bin/initdb" ]; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "PostgreSQL 15 is missing: install the package postgresql-15, then run this again." >&2
    exit 2
  fi
  apt-get update -qq
  # Debian would start a cluster of its own on the usual port; nobody asked for that one.
  mkdir -p /etc/postgresql-common
  echo "create_main_cluster = false" >> /etc/postgresql-common/createcluster.conf
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-15 >/dev/null
fi
as_user() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
folder=$(mktemp -d)
trap 'as_user "$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$folder"' EXIT
if [ "$(id -u)" = 0 ]; then chown postgres "$folder"; fi
# What a killed process has written the kernel keeps, so tests wait for no disk; a measurement does.
sync=$([ "${1:-}" = bench ] && echo on || echo off)
port=$(python3 -c "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])")
as_user "$bin/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 >/dev/null
as_user "$bin/pg_ctl" -D "$folder/data" -l "$folder/log" -w \
  -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$folder -c fsync=$sync \
      -c shared_preload_libraries=pg_stat_statements -c logging_collector=on" start >/dev/null
export TESTS_THAT_MEET_THE_SERVER=1
export THUPHI_TEST_DATABASE_URL="postgresql://postgres@127.0.0.1:$port/postgres"
if [ "${1:-}" = bench ]; then .venv/bin/python -m bench; else .venv/bin/pytest -n 2 --dist worksteal "${@:-tests/e2e}"; fi
