# shellcheck shell=bash
# What the scripts in this folder share. Sourced, never run. Takes `--publish` from the caller's arguments.

# shellcheck source=images/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../images/lib.sh"
cd "$IMAGES_SRC/.." || exit

publish=''
if [ "${1:-}" = --publish ]; then
  publish=yes
  shift
fi

# agree: whether everything here has the same version, also the tag if this commit has one. Nothing is published without a tag.
agree() {
  local chart=helm/store-platform/Chart.yaml name version tags tag
  while IFS='|' read -r name version; do
    [ "$version" = "$VERSION" ] || die "$name is $version, and the version in Cargo.toml is $VERSION"
  done < <(
    sed -nE 's/^(version|appVersion): "?([^"]*)"?$/\1 in Chart.yaml|\2/p' "$chart"
    sed -nE 's/^(urumi-[a-z]+) = .* version = "([^"]*)".*/the dependency \1 in Cargo.toml|\2/p' Cargo.toml
  )
  if [ "${GITHUB_REF_TYPE:-}" = tag ]; then tags=$GITHUB_REF_NAME; else tags=$(git tag --points-at HEAD --list 'v[0-9]*' 2>/dev/null || true); fi
  for tag in $tags; do
    [ "$tag" = "v$VERSION" ] || die "the tag is $tag, and the version in Cargo.toml is $VERSION"
  done
  [ -z "$publish" ] || [ -n "$tags" ] || die "this commit has no tag v$VERSION"
}

# run COMMAND...: runs the command, or says that it would.
run() {
  if [ -n "$publish" ]; then "$@"; else printf 'would run: %s\n' "$*"; fi
}
