# shellcheck shell=bash
# Parts that several checks share, and what runs parts, times them and prints a table.

names=() times=() outcomes=()

# part NAME COMMAND...: runs the command and notes its time and outcome. Exit code 3 means that this machine cannot run it.
part() {
  local name=$1 began=$SECONDS code
  shift
  step "$name"
  # In a subshell with its own -e, which has no effect where the caller tests the result.
  set +e
  (set -e; "$@")
  code=$?
  names+=("$name") times+=($((SECONDS - began)))
  case $code in
  0) outcomes+=(passed) ;;
  3)
    # A check that cannot run is a failure in CI.
    if [ "${CI:-}" = true ]; then outcomes+=("failed: cannot run here"); else outcomes+=("skipped: cannot run here"); fi
    ;;
  *) outcomes+=("failed: exit code $code") ;;
  esac
}

# table: prints every part's time and outcome and marks the five slowest. Fails when a part failed.
table() {
  local i slowest=() mark count
  mapfile -t slowest < <(for i in "${!times[@]}"; do printf '%s %s\n' "${times[i]}" "$i"; done | sort -k1,1nr -k2,2n | head -n 5 | cut -d ' ' -f 2)
  printf '\n%8s    %-58s %s\n' seconds part outcome
  for i in "${!names[@]}"; do
    mark=' '
    [ ${#names[@]} -le 5 ] || [[ " ${slowest[*]} " != *" $i "* ]] || mark='*'
    printf '%8d %s  %-58s %s\n' "${times[i]}" "$mark" "${names[i]}" "${outcomes[i]}"
  done
  printf '%8d    %d parts:' "$SECONDS" "${#names[@]}"
  for i in passed failed skipped; do
    count=$(printf '%s\n' "${outcomes[@]}" | grep -c "^$i" || true)
    printf ' %d %s' "$count" "$i"
  done
  [ ${#names[@]} -le 5 ] || printf ' (* the slowest five)'
  printf '\n'
  ! printf '%s\n' "${outcomes[@]}" | grep -q ^failed
}

formatting() { cargo fmt --all --check; }

lints() { cargo clippy --workspace --all-targets --locked -- -D warnings; }

# Tests that need no cluster, no pods and no other program than cargo.
in_memory_tests() {
  env -u URUMI_TEST_KUBECONFIG cargo test --workspace --locked "$@" -- --skip real_cluster --skip real_pods --skip real_postgres --skip simulated
}
