# shellcheck shell=bash
# Installs the packages of the lockfile in $work, outside of the checkout; once for each state of the lockfile.
# shellcheck source=images/medusa-storefront/scripts/node.sh
. "$(dirname "${BASH_SOURCE[0]}")/node.sh"

# One at a time: builds and lints share the packages.
exec 9>"$cache/lock"
flock 9
modules=$({ node --version; cat package.json package-lock.json; } | sha256sum | cut -c1-16)
work="$cache/$modules"
if [ ! -e "$work/installed" ]; then
  rm -rf "$work"
  mkdir -p "$work"
  cp package.json package-lock.json "$work/"
  (cd "$work" && npm ci --silent --include=dev --no-audit --no-fund)
  touch "$work/installed"
fi
