# shellcheck shell=bash
# What the scripts in dev/ share.

URUMI_CACHE="${URUMI_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/urumi}"

step() { printf '\n== %s\n' "$*" >&2; }
note() { printf '   %s\n' "$*" >&2; }

# build_programs: builds the programs and tests of the workspace. Everything selects these packages and targets: with fewer of
# them, cargo would compile dependencies, and the crates here that use them, again with other features.
build_programs() { cargo build --workspace --bins --tests --locked; }

# ensure COMMAND PACKAGE: whether COMMAND is there; installs Debian's PACKAGE where that is possible without asking.
ensure() {
  command -v "$1" >/dev/null && return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    note "installing Debian's package $2"
    { apt-get install -qq -y --no-install-recommends "$2" || { apt-get update -qq && apt-get install -qq -y --no-install-recommends "$2"; }; } >/dev/null 2>&1 || true
  fi
  command -v "$1" >/dev/null
}

# tool CRATE VERSION: prints the path of a cargo tool, built once and kept outside the checkout.
tool() {
  local dir="$URUMI_CACHE/tools/$1-$2"
  if [ ! -x "$dir/bin/$1" ]; then
    note "building $1 $2 (once)"
    # Unoptimised, it takes half the time to compile and runs for a few seconds.
    CARGO_TARGET_DIR="$URUMI_CACHE/tools/target" cargo install --quiet --locked --debug --root "$dir" "$1@^$2" >&2
    rm -rf "$URUMI_CACHE/tools/target"
  fi
  printf '%s\n' "$dir/bin/$1"
}
