# shellcheck shell=bash
# Puts a Node.js that SvelteKit supports (22.17 or newer) on PATH: the machine's own, otherwise one from npm, kept in $cache.
cache="${URUMI_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/urumi}/medusa-storefront"
mkdir -p "$cache"
if ! node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 22 || (a == 22 && b >= 17) ? 0 : 1)' 2>/dev/null; then
  version=24.21.0
  if [ ! -x "$cache/node-$version/node_modules/node/bin/node" ]; then
    echo "fetching Node.js $version (once)" >&2
    npm install --silent --no-save --no-package-lock --prefix "$cache/node-$version" "node@$version" >&2
  fi
  PATH="$cache/node-$version/node_modules/node/bin:$PATH"
fi
