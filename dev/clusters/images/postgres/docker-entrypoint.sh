#!/bin/sh
# Starts PostgreSQL; on an empty PGDATA it first makes the cluster that POSTGRES_USER, _PASSWORD and _DB ask for.
set -eu
trap 'exit 143' INT TERM # while this shell is the container's first process

case ${1:-postgres} in
-*) set -- postgres "$@" ;;
postgres) ;;
*) exec "$@" ;;
esac

user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  if [ -z "${POSTGRES_PASSWORD:-}" ]; then
    echo "error: POSTGRES_PASSWORD must be set for the first start" >&2
    exit 1
  fi
  mkdir -p "$PGDATA"
  chmod 700 "$PGDATA"
  password=$(mktemp)
  printf '%s\n' "$POSTGRES_PASSWORD" > "$password"
  # shellcheck disable=SC2086 # several arguments, as in the public image
  initdb -D "$PGDATA" --username="$user" --pwfile="$password" --encoding=UTF8 --no-sync ${POSTGRES_INITDB_ARGS:-} &
  wait $! # so that a signal ends this at once
  rm "$password"
  printf '\nhost all all all scram-sha-256\n' >> "$PGDATA/pg_hba.conf"
  # No server runs for this, so nobody can connect to one that is not ready.
  [ "$database" = postgres ] ||
    printf 'CREATE DATABASE "%s"\n' "$(printf '%s' "$database" | sed 's/"/""/g')" | postgres --single -j -D "$PGDATA" postgres
fi
shift
exec postgres -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql "$@"
