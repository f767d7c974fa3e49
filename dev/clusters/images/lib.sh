# shellcheck shell=bash
# What the image recipes share: folders made from Debian packages.

IMAGES_SRC=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
URUMI_SRC=$(cd "$IMAGES_SRC/../../.." && pwd)
IMAGES_CACHE=${URUMI_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/urumi}/images

# Exit code for "this machine cannot build the images": a test runner reports a skip.
EXIT_SKIP=3

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }
skip() { say "skip: $*"; exit "$EXIT_SKIP"; }

# package_urls PACKAGE...: where apt would download each of them from, with version and checksum.
package_urls() {
  [ $# -gt 0 ] || return 0
  local urls
  if ! urls=$(apt-get download --print-uris "$@" 2>&1); then
    [ "$(id -u)" != 0 ] || apt-get update -qq >&2 || true
    urls=$(apt-get download --print-uris "$@" 2>&1) || skip "these Debian packages are needed: $*; apt says: $(tail -n 1 <<< "$urls")"
  fi
  printf '%s\n' "$urls"
}

# unpack ROOT PACKAGE...: extracts Debian packages without installing them, less what only people read.
unpack() {
  local root=$1 debs deb
  shift
  debs=$(mktemp -d "$root.debs.XXXXXX")
  chmod 755 "$debs"
  # Versions that have left the archive since the last update are a reason to update.
  (cd "$debs" && { apt-get download -qq "$@" || { apt-get update -qq && apt-get download -qq "$@"; }; }) >/dev/null 2>"$root.apt" ||
    { cat "$root.apt" >&2; die "apt could not download: $*"; }
  mkdir -p "$root"/usr/{bin,lib,lib64,sbin}
  local d
  for d in bin lib lib64 sbin; do [ -e "$root/$d" ] || ln -s "usr/$d" "$root/$d"; done
  for deb in "$debs"/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" --keep-directory-symlink --no-same-owner \
      --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' --exclude='./usr/share/lintian/*'
  done
  rm -rf "$debs" "$root.apt"
}

# foundation ROOT USER UID GID: what programs expect of any root: accounts, name look-up, writable folders.
foundation() {
  mkdir -p "$1"/{etc,tmp,var/tmp,run,proc,sys,dev}
  [ -e "$1/var/run" ] || ln -s ../run "$1/var/run"
  chmod 1777 "$1/tmp" "$1/var/tmp"
  printf 'root:x:0:0:root:/root:/sbin/nologin\n%s:x:%s:%s::/tmp:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n' "$2" "$3" "$4" > "$1/etc/passwd"
  printf 'root:x:0:\n%s:x:%s:\nnogroup:x:65534:\n' "$2" "$4" > "$1/etc/group"
  printf 'passwd: files\ngroup: files\nhosts: files dns\n' > "$1/etc/nsswitch.conf"
}

# busybox ROOT: a shell and the usual small commands, where the root has none of its own.
busybox() {
  local applet
  unpack "$1" busybox-static
  for applet in $("$1/bin/busybox" --list); do
    [ -e "$1/usr/bin/$applet" ] || ln -s busybox "$1/usr/bin/$applet"
  done
}

# proven ROOT PROGRAM...: stops unless each program finds all its libraries inside the root.
proven() {
  local root=$1 program missing
  shift
  [ "$(id -u)" = 0 ] || return 0 # only root may change the root folder
  for program in "$@"; do
    missing=$(chroot "$root" "$(cd "$root" && ls lib64/ld-linux-*.so.* lib/ld-linux-*.so.* 2>/dev/null | head -n 1 | sed 's|^|/|')" --list "$program" 2>&1 | grep -E 'not found|error while' || true)
    [ -z "$missing" ] || die "$program lacks libraries in its image: $missing"
  done
}
