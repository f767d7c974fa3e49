# shellcheck shell=bash
# Parts that several checks share, and what runs parts one after the other or side by side, times them and prints a table.

parts_dir=$(mktemp -d)
# Seconds, outcome and name of each part that has ended, a line each.
results=$parts_dir/results
: > "$results"
lanes=() lane=''
# Nothing runs on when a check is interrupted.
end_lanes() {
  local pid
  for pid in "${lanes[@]}"; do kill -TERM -- "-$pid" 2>/dev/null; done
  rm -rf "$parts_dir"
}
trap end_lanes EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# part NAME COMMAND...: runs the command and notes its time and outcome. Exit code 3 means that this machine cannot run it.
part() {
  local name=$1 began=$SECONDS code outcome
  shift
  step "$name"
  # In a subshell with its own -e, which has no effect where the caller tests the result.
  set +e
  if [ -n "$lane" ]; then
    (set -e; "$@") > "$lane" 2>&1
    code=$?
    flock "$results" cat "$lane"
    note "$name: $((SECONDS - began)) s"
  else
    (set -e; "$@")
    code=$?
  fi
  case $code in
  0) outcome=passed ;;
  3)
    # A check that cannot run is a failure in CI.
    if [ "${CI:-}" = true ]; then outcome="failed: cannot run here"; else outcome="skipped: cannot run here"; fi
    ;;
  *) outcome="failed: exit code $code" ;;
  esac
  printf '%d\t%s\t%s\n' "$((SECONDS - began))" "$outcome" "$name" >> "$results"
}

# beside FUNCTION: runs the parts of FUNCTION while the caller goes on. Prints the output of each when it has ended.
beside() {
  # With job control, a group of processes that can be ended together.
  set -m
  (
    trap - EXIT INT TERM HUP
    lane=$parts_dir/$1
    "$1"
  ) < /dev/null &
  lanes+=($!)
  set +m
}

# together: waits for what runs beside.
together() {
  [ ${#lanes[@]} = 0 ] || wait "${lanes[@]}"
  lanes=()
}

# table: prints every part's time and outcome and marks the five slowest. Fails when a part failed.
table() {
  local seconds outcome name slowest mark count parts
  parts=$(wc -l < "$results")
  slowest=$(sort -t $'\t' -k1,1nr "$results" | head -n 5 | cut -f 3)
  printf '\n%8s    %-58s %s\n' seconds part outcome
  while IFS=$'\t' read -r seconds outcome name; do
    mark=' '
    if [ "$parts" -gt 5 ] && grep -qxF -- "$name" <<< "$slowest"; then mark='*'; fi
    printf '%8d %s  %-58s %s\n' "$seconds" "$mark" "$name" "$outcome"
  done < "$results"
  printf '%8d    %d parts:' "$SECONDS" "$parts"
  for outcome in passed failed skipped; do
    count=$(cut -f 2 "$results" | grep -c "^$outcome" || true)
    printf ' %d %s' "$count" "$outcome"
  done
  [ "$parts" -le 5 ] || printf ' (* the slowest five)'
  printf '\n'
  ! cut -f 2 "$results" | grep -q ^failed
}

formatting() { cargo fmt --all --check; }

lints() { cargo clippy --workspace --all-targets --locked -- -D warnings; }

# Tests that need no cluster, no pods and no other program than cargo.
in_memory_tests() {
  env -u URUMI_TEST_KUBECONFIG cargo test --workspace --locked "$@" -- --skip real_cluster --skip real_pods --skip real_postgres --skip simulated
}
