# shellcheck shell=bash
# Installs the packages that the dashboard's lockfile names beside the checkout, once for each state of it, and copies the
# dashboard's sources beside them, into $copy, which is gone when the script ends. Exit code 3: there is no npm.
# shellcheck source=dev/lib.sh
. "$root/dev/lib.sh"

command -v npm >/dev/null || { note "please install npm: the dashboard is written in TypeScript"; exit 3; }
PATH=$("$root/images/medusa-api/scripts/node-path"):$PATH
app=$root/urumi-http/dashboard
cache=$URUMI_CACHE/dashboard
mkdir -p "$cache"
work=$cache/$({ node --version; cat "$app/package.json" "$app/package-lock.json"; } | sha256sum | cut -c 1-16)
(
  flock 9
  if [ ! -e "$work/installed" ]; then
    note "installing the dashboard's packages (once)"
    rm -rf "$work" && mkdir -p "$work"
    cp "$app/package.json" "$app/package-lock.json" "$work/"
    (cd "$work" && npm ci --silent --include=dev --ignore-scripts --no-audit --no-fund)
    touch "$work/installed"
  fi
) 9> "$cache/lock"

# sources: prints the names of what the dashboard is made of, from its folder.
sources() { (cd "$app" && find . \( -name node_modules -o -name dist -o -name '.dist-of' \) -prune -o -type f -print | LC_ALL=C sort); }

copy=$(mktemp -d "$work/copy.XXXXXX")
trap 'rm -rf "$copy"' EXIT
(cd "$app" && sources | tar --create --no-recursion --files-from -) | tar -C "$copy" --extract
# Programs are found as if the packages were in the copy.
PATH=$work/node_modules/.bin:$PATH
