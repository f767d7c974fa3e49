# shellcheck shell=bash
# What the scripts in this folder share. Sourced, never run.

CLUSTER_SRC=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CLUSTER_ROOT=${URUMI_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/urumi}/cluster
CLUSTER_DEFAULT_DIR=$CLUSTER_ROOT/run/default

KUBERNETES_VERSION=v1.37.2
KWOK_VERSION=v0.8.0

# shellcheck disable=SC2034 # read by build and up
PLAIN_BINARIES=(etcd kube-apiserver kube-controller-manager kube-scheduler kwok namespaces kubectl)
# What a node with real pods needs besides.
NODE_BINARIES=(kubelet kube-proxy containerd containerd-shim-runc-v2 ctr coredns local-path-provisioner router)

# In the order they start. They stop all at once. (A test may add kube-apiserver-lagging for a while.)
COMPONENTS=(sandbox etcd kube-apiserver kube-apiserver-lagging kube-controller-manager kube-scheduler kwok namespaces
  containerd kubelet kube-proxy coredns local-path-provisioner router)

# Where a node with real pods is, in the network namespace of its own that each has.
NODE_ADDRESS=192.0.2.10

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
bin_dir() { # [--node]: those of a node with real pods, and links to all others
  local go key
  go=$(cd "$CLUSTER_SRC/go/kubernetes" && GOWORK=off go env GOVERSION GOOS GOARCH 2>/dev/null) || return 1
  key=$( (printf '%s\n' "$go" "$KUBERNETES_VERSION" "$KWOK_VERSION"
    cd "$CLUSTER_SRC"
    sha256sum go/{kubernetes,kwok}/go.mod go/{kubernetes,kwok}/go.sum go/kubernetes/namespaces/*.go
    [ -z "${1:-}" ] || sha256sum go/{containerd,coredns,local-path-provisioner}/go.{mod,sum} go/kubernetes/router/*.go) | sha256sum | cut -c1-16)
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
  local pid started line i
  read -r pid started 2>/dev/null < "$1/pids/$2" && [ -n "$started" ] || return 1
  for ((i = 0; i < 100; i++)); do
    [ "$(start_time "$pid")" = "$started" ] || return 1
    line=$(tr '\0' '\n' 2>/dev/null < "/proc/$pid/cmdline")
    # A process that is just becoming another program has none for a moment.
    [ -n "$line" ] || { sleep 0.01; continue; }
    [[ $line == *"$1/"* ]] || return 1
    printf '%s\n' "$pid"
    return
  done
  return 1
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

# ---------------------------------------------------------------------------------------------------- nodes with real pods

# The control group of a node, by which all its processes are found, pods' too, and its name in each hierarchy.
cgroup_name() { printf 'urumi-%s\n' "$(printf '%s' "$1" | sha256sum | cut -c1-12)"; } # DIR
cgroup_roots() { # one with control groups v2, one for each controller with v1; both when mixed
  local root
  if [ -e /sys/fs/cgroup/cgroup.procs ]; then echo /sys/fs/cgroup; return; fi
  for root in /sys/fs/cgroup/*; do [ ! -e "$root/cgroup.procs" ] || [ -L "$root" ] || printf '%s\n' "$root"; done
}
# Where the node's own parts are. One v1 hierarchy is enough to find them.
cgroup_parts() { # DIR
  local root=/sys/fs/cgroup
  [ -e "$root/cgroup.procs" ] || root=$root/pids
  printf '%s/%s/parts\n' "$root" "$(cgroup_name "$1")"
}

is_node() { [ -d "$1/node" ]; } # DIR
# The first process of a node's namespaces; `sandbox` is its parent.
sandbox_init() { # DIR
  local pid
  pid=$(pid_of "$1" sandbox) || return
  { pid=$(<"/proc/$pid/task/$pid/children"); } 2>/dev/null
  [ -n "$pid" ] && printf '%s\n' "${pid%% *}"
}
sandbox_net() { # DIR: the network namespace, as nsenter takes it
  local pid
  pid=$(sandbox_init "$1") && printf '/proc/%s/ns/net\n' "$pid"
}

# Ends whatever runs on a node. Its mounts, networks and rules end with the last process.
stop_node() { # DIR
  local name groups=() group i
  name=$(cgroup_name "$1")
  for ((i = 0; i < 400; i++)); do
    mapfile -t groups < <(cgroup_roots | while read -r group; do [ ! -d "$group/$name" ] || find "$group/$name" -depth -type d 2>/dev/null; done)
    [ ${#groups[@]} -gt 0 ] || return 0
    cat "${groups[@]/%//cgroup.procs}" 2>/dev/null | sort -u | xargs -r kill -9 2>/dev/null || true
    rmdir "${groups[@]}" 2>/dev/null || sleep 0.05
  done
  die "could not stop the processes in ${groups[0]}"
}

# ---------------------------------------------------------------------------------------------------- removal

# Stops a cluster and removes all it left. Its volumes are directories in /tmp/hostpath_pv, which clusters share:
# their names, random ones, are found in the cluster's own data.
wipe() { # DIR
  local dir=$1 volume
  stop_node "$dir"
  stop_components "$dir"
  if [ -d "$dir/etcd" ] && ! is_node "$dir"; then
    { grep -raohE '/tmp/hostpath_pv/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}' "$dir/etcd" || true; } | sort -u |
      while read -r volume; do rm -rf -- "$volume"; done
    rmdir /tmp/hostpath_pv 2>/dev/null || true
  fi
  rm -rf -- "$dir"
}
