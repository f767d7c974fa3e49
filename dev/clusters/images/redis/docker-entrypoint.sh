#!/bin/sh
# Starts Redis: arguments that are options or a configuration file are the server's.
set -eu
case ${1:-} in
'' | -* | *.conf) set -- redis-server "$@" ;;
esac
exec "$@"
