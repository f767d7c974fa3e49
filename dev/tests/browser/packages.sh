# shellcheck shell=bash
# Installs what tests in a browser need beside the checkout, once for each state of the lockfile, and says in $packages where.
# shellcheck source=dev/lib.sh
. "$root/dev/lib.sh"

# need_browser: ends with exit code 3 where there is none.
need_browser() { ensure chromium chromium || { note "please install Chromium"; exit 3; }; }

PATH=$("$root/images/medusa-api/scripts/node-path"):$PATH
mkdir -p "$URUMI_CACHE/browser"
packages=$URUMI_CACHE/browser/$(sha256sum "$root/dev/tests/browser/package-lock.json" | cut -c 1-16)
(
  flock 9
  if [ ! -e "$packages/installed" ]; then
    rm -rf "$packages" && mkdir -p "$packages"
    cp "$root/dev/tests/browser/package.json" "$root/dev/tests/browser/package-lock.json" "$packages/"
    (cd "$packages" && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --silent --ignore-scripts --no-audit --no-fund)
    touch "$packages/installed"
  fi
) 9> "$URUMI_CACHE/browser/lock"

# browser_tests FILE...: copies tests beside the packages, checks their types, and leaves the shell there.
browser_tests() {
  copy=$(mktemp -d "$packages/run.XXXXXX")
  trap 'rm -rf "$copy"' EXIT
  cp -R "$root/dev/tests/browser/package.json" "$root/dev/tests/browser/tsconfig.json" "$@" "$copy/"
  cd "$copy"
  "$packages/node_modules/.bin/tsc" --noEmit
}

# playwright ARGUMENT...: what is on this machine is asked without a proxy.
playwright() {
  env -u http_proxy -u HTTP_PROXY -u https_proxy -u HTTPS_PROXY "$packages/node_modules/.bin/playwright" "$@"
}
