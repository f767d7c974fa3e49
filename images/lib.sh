# shellcheck shell=bash
# What the scripts in this folder share. Sourced, never run.

IMAGES_SRC=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=dev/lib.sh
. "$IMAGES_SRC/../dev/lib.sh"
# shellcheck source=images/names
. "$IMAGES_SRC/names"
# shellcheck disable=SC2034 # read by those who source this
VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' "$IMAGES_SRC/../Cargo.toml" | head -n 1)

die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# The folder of buildah's and podman's images, apart from those of the machine's user, and the programs' settings.
CONTAINERS=$URUMI_CACHE/containers
use_containers() {
  local files processes
  mkdir -p "$CONTAINERS/tmp"
  export CONTAINERS_STORAGE_CONF=$CONTAINERS/storage.conf CONTAINERS_CONF=$CONTAINERS/containers.conf TMPDIR=${BUILD_TMPDIR:-$CONTAINERS/tmp}
  printf '[storage]\ndriver = "overlay"\nrunroot = "%s/run"\ngraphroot = "%s/storage"\n' "$CONTAINERS" "$CONTAINERS" > "$CONTAINERS_STORAGE_CONF"
  # No more than this machine allows: podman's own limits are an error where it may not raise them.
  files=$(ulimit -Hn) processes=$(ulimit -Hu)
  if [ "$files" = unlimited ] || [ "$files" -gt 65536 ]; then files=65536; fi
  if [ "$processes" = unlimited ] || [ "$processes" -gt 8192 ]; then processes=8192; fi
  {
    printf '[containers]\ndefault_ulimits = ["nofile=%s:%s", "nproc=%s:%s"]\n' "$files" "$files" "$processes" "$processes"
    # Without systemd nothing manages control groups for others.
    printf '[engine]\nruntime = "runc"\n'
    [ -d /run/systemd/system ] || printf 'cgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
  } > "$CONTAINERS_CONF"
}

# sources NAME: the files and folders that the image is built from, below the root of the repository.
sources() {
  local ignore=.dockerignore context=.
  if [ "$1" = urumi ]; then printf '%s\n' Dockerfile; else
    context=images ignore=images/$1/Dockerfile.dockerignore
    printf '%s\n' "images/$1/Dockerfile"
  fi
  sed -n "s|^!|$context/|p" "$IMAGES_SRC/../$ignore"
}

# commit NAME: the last commit that changed the image's sources; nothing outside of a repository.
commit() {
  local paths commit
  mapfile -t paths < <(sources "$1")
  cd "$IMAGES_SRC/.." || return
  commit=$(git log -1 --format=%h --abbrev=12 -- "${paths[@]}" 2>/dev/null) || return 0
  [ -z "$(git status --porcelain -- "${paths[@]}")" ] || commit+=-modified
  printf '%s\n' "$commit"
}
