# shellcheck shell=bash disable=SC2154
# Daemons: start in the background, find again by pid file, end. One directory per set of daemons:
# DIR/pids, DIR/logs. A daemon is ours when its command line names that directory.

# daemon DIR NAME PROGRAM ARGUMENT...
daemon() {
  local dir=$1 name=$2
  shift 2
  if pid_of "$dir" "$name" >/dev/null; then return; fi
  mkdir -p "$dir/pids" "$dir/logs"
  echo "==== $(date -Is) start" >>"$dir/logs/$name.log"
  # Without the locks of this script (8, 9): a daemon would keep them as long as it lives.
  setsid "$@" >>"$dir/logs/$name.log" 2>&1 </dev/null 8>&- 9>&- &
  echo $! >"$dir/pids/$name.pid"
  # Until it has become that program its command line is this script's, and it would pass for ended.
  local tries=0
  until pid_of "$dir" "$name" >/dev/null || [ $((tries += 1)) -gt 100 ]; do sleep 0.02; done
}

# The process id, when the daemon runs. Ids are used again after a reboot: so the command line counts.
pid_of() {
  local dir=$1 name=$2 pid
  pid=$(cat "$dir/pids/$name.pid" 2>/dev/null) || return 1
  [ -n "$pid" ] && grep -qaF "$dir/" "/proc/$pid/cmdline" 2>/dev/null || return 1
  # A process that nobody has waited for yet is none any more; its command line is empty then.
  echo "$pid"
}

# end DIR NAME [SIGNAL [SECONDS]]: ask, then force.
end() {
  local dir=$1 name=$2 signal=${3:-TERM} seconds=${4:-20} pid
  if pid=$(pid_of "$dir" "$name"); then
    kill -s "$signal" "$pid" 2>/dev/null || true
    if ! gone_within "$seconds" "$dir" "$name"; then
      kill -s KILL "$pid" 2>/dev/null || true
      gone_within 20 "$dir" "$name" || fail "$name ($pid) does not end"
    fi
  fi
  rm -f "$dir/pids/$name.pid"
}

gone_within() {
  local tenths=$(($1 * 10)) dir=$2 name=$3
  while pid_of "$dir" "$name" >/dev/null; do
    tenths=$((tenths - 1))
    [ "$tenths" -gt 0 ] || return 1
    sleep 0.1
  done
}

start_component() {
  is_component "$1"
  "start_${1//-/_}"
  case $1 in
    apiserver) wait_for "the API server to answer" 300 api_is_ready ;;
    kubelet) ! api_is_ready || wait_for "node $node_name to be Ready" 300 node_is_ready ;;
  esac
  echo "$1 runs (pid $(pid_of "$state" "$1" || fail "$1 ended at once; see hack/cluster logs $1"))."
}

stop_component() {
  is_component "$1"
  end "$state" "$1" "${2:-TERM}"
  echo "$1 is stopped."
}

is_component() {
  [[ " $components " == *" $1 "* ]] || usage_error "there is no component '$1'; they are: $components"
}

# wait_for WHAT SECONDS COMMAND...
wait_for() {
  local what=$1 seconds=$2 started=$SECONDS
  shift 2
  until "$@"; do
    if [ $((SECONDS - started)) -ge "$seconds" ]; then
      complain_about_daemons
      fail "waited $seconds s for $what; see hack/cluster logs"
    fi
    sleep 0.3
  done
}

complain_about_daemons() {
  local name
  for name in $components; do
    if [ -f "$state/pids/$name.pid" ] && ! pid_of "$state" "$name" >/dev/null; then
      echo "$name has ended. The end of $state/logs/$name.log:" >&2
      tail -n 5 "$state/logs/$name.log" >&2 || true
    fi
  done
}

# Resident memory in MB.
memory_of() {
  awk '/^VmRSS:/ { mb = int($2 / 1024) } END { print mb + 0 }' "/proc/$1/status" 2>/dev/null || echo 0
}

seconds_since() {
  awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $1 }"
}
