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

# python_with_venv: prints the name of a Python 3.11 or newer that can make virtual environments.
python_with_venv() {
  local candidate
  for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null && "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  note "please install Python 3.11 or newer with venv"
  return 1
}

# virtual_environment PYTHON REQUIREMENTS PACKAGE: prints the folder of a virtual environment with the packages of a list. It is
# made once for each list, outside the checkout; a half-made one is made again.
virtual_environment() {
  local dir
  dir=$URUMI_CACHE/$3-$(sha256sum "$2" | cut -c1-16)
  if [ ! -e "$dir/complete" ]; then
    note "installing $(grep "^$3==" "$2") (once)"
    rm -rf "$dir"
    "$1" -m venv "$dir"
    "$dir/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$2" >&2
    touch "$dir/complete"
  fi
  printf '%s\n' "$dir"
}
