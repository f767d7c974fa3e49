# shellcheck shell=bash
# Parts that several checks share, and what runs parts one after the other or side by side, times them and prints a table.

parts_dir=$(mktemp -d)
# Seconds, seconds of processors, outcome and name of each part that has ended, a line each.
results=$parts_dir/results
# The output of each part of the last run, to read what a long log does not show.
outputs=$URUMI_CACHE/outputs/$(basename "$(dirname "$0")")-$(basename "$0")
rm -rf "$outputs"
mkdir -p "$outputs"
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

# processor_time VARIABLE: the seconds that this shell's children have used. Not by command substitution, which is a child.
processor_time() {
  local file=$parts_dir/times-$BASHPID
  times > "$file"
  printf -v "$1" '%d' "$(tail -n 1 "$file" | sed 's/[ms]/ /g' | awk '{ printf "%d", ($1 + $3) * 60 + $2 + $4 }')"
}

# content PATH...: a name for what is in these files and folders, as git has or would have them.
content() {
  git ls-files -co --exclude-standard -z -- "$@" | sort -z |
    while IFS= read -r -d '' file; do [ ! -f "$file" ] || sha256sum "$file"; done | sha256sum | cut -c 1-32
}

# part [--of PATHS] NAME COMMAND...: runs the command and notes its times and outcome. Exit code 3 means that this machine cannot
# run it. With --of, the outcome depends on these files and folders alone: what passed in the last week with the same content is
# not run again, unless AGAIN is set. After a week it is, since it also uses packages of others.
part() {
  local name began=$SECONDS before after code outcome output passed=''
  if [ "$1" = --of ]; then
    # shellcheck disable=SC2086 # several paths
    passed=$URUMI_CACHE/passed/$(content $2 dev/lib.sh dev/checks/parts.sh dev/checks/test)-${3//[^a-zA-Z0-9]/-}
    shift 2
  fi
  name=$1
  output=$outputs/${name//[^a-zA-Z0-9]/-}
  processor_time before
  shift
  step "$name"
  if [ -n "$passed" ] && [ -z "${AGAIN:-}" ] && [ -n "$(find "$passed" -mtime -7 2>/dev/null)" ]; then
    note "passed before, and nothing that it tests has changed since"
    printf '0\t0\tpassed before\t%s\n' "$name" >> "$results"
    return
  fi
  [ -z "$passed" ] || rm -f "$passed"
  # In a subshell with its own -e, which has no effect where the caller tests the result.
  set +e
  if [ -n "$lane" ]; then
    (set -e; "$@") > "$output" 2>&1
    code=$?
    flock "$results" cat "$output"
    note "$name: $((SECONDS - began)) s"
  else
    (set -e; "$@") 2>&1 | tee "$output"
    code=${PIPESTATUS[0]}
  fi
  case $code in
  0)
    outcome=passed
    if [ -n "$passed" ]; then
      mkdir -p "$URUMI_CACHE/passed"
      : > "$passed"
    fi
    ;;
  3)
    # A check that cannot run is a failure in CI.
    if [ "${CI:-}" = true ]; then outcome="failed: cannot run here"; else outcome="skipped: cannot run here"; fi
    ;;
  *) outcome="failed: exit code $code" ;;
  esac
  processor_time after
  printf '%d\t%d\t%s\t%s\n' "$((SECONDS - began))" "$((after - before))" "$outcome" "$name" >> "$results"
}

# in_two_lanes FUNCTION...: runs the parts of these functions, those of two at a time: a lane that has nothing more to do takes
# the next function. Prints the output of each part when it has ended.
in_two_lanes() {
  printf '%s\n' "$@" > "$parts_dir/waiting"
  # With job control, groups of processes that can be ended together.
  set -m
  for lane in first second; do
    (
      trap - EXIT INT TERM HUP
      while next=$(next_waiting); do "$next"; done
    ) < /dev/null &
    lanes+=($!)
  done
  set +m
  lane=''
  local pid
  for pid in "${lanes[@]}"; do
    wait "$pid" || printf '0\t0\tfailed: it ended early\ta lane\n' >> "$results"
  done
  lanes=()
}
# Takes the first line from the list of what waits; fails when it is empty.
next_waiting() (
  flock 9
  next=$(head -n 1 "$parts_dir/waiting")
  [ -n "$next" ] || exit 1
  sed -i 1d "$parts_dir/waiting"
  printf '%s\n' "$next"
) 9> "$parts_dir/lock"

# table: prints every part's time and outcome and marks the five slowest; keeps this in the cache, to compare with later.
# Fails when a part failed.
table() {
  mkdir -p "$URUMI_CACHE/times"
  print_table | tee "$URUMI_CACHE/times/$(basename "$(dirname "$0")")-$(basename "$0")"
  ! cut -f 3 "$results" | grep -q ^failed
}
print_table() {
  local seconds used outcome name slowest mark count parts
  parts=$(wc -l < "$results")
  slowest=$(sort -t $'\t' -k1,1nr "$results" | head -n 5 | cut -f 4)
  printf '\n%8s  %8s    %-58s %s\n' seconds cpu part outcome
  while IFS=$'\t' read -r seconds used outcome name; do
    mark=' '
    if [ "$parts" -gt 5 ] && grep -qxF -- "$name" <<< "$slowest"; then mark='*'; fi
    printf '%8d  %8d %s  %-58s %s\n' "$seconds" "$used" "$mark" "$name" "$outcome"
  done < "$results"
  printf '%8d  %8d    %d parts:' "$SECONDS" "$(awk -F '\t' '{ sum += $2 } END { print sum }' "$results")" "$parts"
  for outcome in passed failed skipped; do
    count=$(cut -f 3 "$results" | grep -c "^$outcome" || true)
    printf ' %d %s' "$count" "$outcome"
  done
  [ "$parts" -le 5 ] || printf ' (* the slowest five)'
  printf '\n'
}

formatting() { cargo fmt --all --check; }

lints() { cargo clippy --workspace --all-targets --locked -- -D warnings; }

# Tests that need no cluster, no pods and no other program than cargo.
in_memory_tests() {
  nice -n 5 env -u URUMI_TEST_KUBECONFIG cargo test --workspace --locked "$@" -- --skip real_cluster --skip real_pods --skip real_postgres --skip simulated
}
