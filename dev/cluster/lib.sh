# shellcheck shell=bash
# What the scripts in this folder share. Sourced, never run.

CLUSTER_SRC=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CLUSTER_ROOT=${URUMI_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/urumi}/cluster
CLUSTER_DEFAULT_DIR=$CLUSTER_ROOT/run/default

KUBERNETES_VERSION=v1.37.2
KWOK_VERSION=v0.8.0

# In the order they start. They stop all at once.
COMPONENTS=(etcd kube-apiserver kube-controller-manager kube-scheduler kwok namespaces)
# shellcheck disable=SC2034 # read by build and up
BINARIES=("${COMPONENTS[@]}" kubectl)

# Exit code for "this machine cannot build the cluster": a test runner reports a skip.
# shellcheck disable=SC2034
EXIT_SKIP=3

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

need() { # COMMAND...: stop with a clear message when one is missing
  local c
  for c in "$@"; do command -v "$c" >/dev/null || die "'$c' is needed but not installed"; done
}

# The absolute path of a cluster's directory, whether or not it exists.
absolute() { realpath -m -- "$1"; }

# ---------------------------------------------------------------------------------------------------- binaries

# The folder of the built binaries, or nothing (exit 1) where there is no Go that can build them.
# Its name follows from everything that decides what is built: a changed recipe has a folder of its own.
bin_dir() {
  local go key
  go=$(cd "$CLUSTER_SRC/go/kubernetes" && GOWORK=off go env GOVERSION GOOS GOARCH 2>/dev/null) || return 1
  key=$( (printf '%s\n' "$go" "$KUBERNETES_VERSION" "$KWOK_VERSION"
    cd "$CLUSTER_SRC" && sha256sum go/*/go.mod go/*/go.sum go/*/*/*.go) | sha256sum | cut -c1-16)
  printf '%s/%s/bin\n' "$CLUSTER_ROOT" "$key"
}

# ---------------------------------------------------------------------------------------------------- processes

# When a process started, in clock ticks since boot; nothing when it is gone or a zombie.
start_time() {
  local stat
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  stat=${stat##*) } # the name before it may hold spaces and parentheses
  # shellcheck disable=SC2086 # to split it is the point: field 1 is now the state, 20 the start time
  set -- $stat
  [ "$1" != Z ] && [ "$1" != X ] && printf '%s\n' "${20}"
}

# The components that a cluster was started with.
started() { # DIR
  local c
  for c in "${COMPONENTS[@]}"; do [ ! -f "$1/pids/$c" ] || printf '%s\n' "$c"; done
}

# The pid of a cluster's component, if that very process still runs. A pid that the system has given to another
# process since then has another start time (or, after a reboot, another command line).
pid_of() { # DIR COMPONENT
  local pid started
  read -r pid started 2>/dev/null < "$1/pids/$2" || return 1
  [ "$(start_time "$pid")" = "$started" ] || return 1
  tr '\0' '\n' 2>/dev/null < "/proc/$pid/cmdline" | grep -qF -- "$1/" || return 1
  printf '%s\n' "$pid"
}

# Stops every component of a cluster and returns when all have ended. What they hold is thrown away
# afterwards, so there is little to wait for.
stop_components() { # DIR
  local dir=$1 c pid pids=() i
  for c in "${COMPONENTS[@]}"; do
    if pid=$(pid_of "$dir" "$c"); then pids+=("$pid"); kill "$pid" 2>/dev/null || true; fi
  done
  [ ${#pids[@]} -gt 0 ] || return 0
  for ((i = 0; i < 200; i++)); do
    pids=()
    for c in "${COMPONENTS[@]}"; do pid=$(pid_of "$dir" "$c") && pids+=("$pid"); done
    [ ${#pids[@]} -gt 0 ] || return 0
    if [ "$i" -ge 15 ]; then kill -9 "${pids[@]}" 2>/dev/null || true; fi
    sleep 0.1
  done
  die "could not stop the processes ${pids[*]} of $dir"
}

# ---------------------------------------------------------------------------------------------------- directories

# A cluster's directory, as opposed to any other folder someone may name by mistake.
is_cluster_dir() { [ -f "$1/.urumi-cluster" ]; }

# Takes the lock of a cluster's directory on fd 8 until this script ends. The lock lies outside the
# directory, which comes and goes. Components must not inherit the fd.
lock_dir() { # DIR
  local locks=$CLUSTER_ROOT/locks name
  mkdir -p "$locks"
  name=$(printf '%s' "$1" | sha256sum | cut -c1-16)
  exec 8> "$locks/$name"
  flock -w 120 8 || die "another up or down of $1 has been running for two minutes"
}

# Stops a cluster and removes all it left. Its volumes are directories in /tmp/hostpath_pv, which clusters share:
# their names, random ones, are found in the cluster's own data.
wipe() { # DIR
  local dir=$1 volume
  stop_components "$dir"
  if [ -d "$dir/etcd" ]; then
    { grep -raohE '/tmp/hostpath_pv/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}' "$dir/etcd" || true; } | sort -u |
      while read -r volume; do rm -rf -- "$volume"; done
    rmdir /tmp/hostpath_pv 2>/dev/null || true
  fi
  rm -rf -- "$dir"
}
