# shellcheck shell=bash disable=SC2154
# An API server alone on a port of the loopback, for tests of CRDs and for figures: kine and
# kube-apiserver, no controllers (namespaces don't end, nothing is collected), no root.

# api_up DIR: prints the path of its kubeconfig, and nothing else, on stdout.
api_up() {
  local dir port attempt
  mkdir -p "$1"
  dir=$(cd "$1" && pwd -P)
  state=$dir
  components="kine apiserver"
  kubeconfig=$dir/kubeconfig
  "$root/hack/cluster-tools" kine kube-apiserver kubectl >&2
  make_credentials "$dir"
  for attempt in 1 2 3 4 5; do
    port=$(cat "$dir/port" 2>/dev/null) || port=$((20000 + RANDOM % 12000))
    run_kine "$dir" "$(socket_directory "$dir")/kine.sock"
    run_apiserver "$dir" "$(socket_directory "$dir")/kine.sock" 127.0.0.1 "$port" \
      --authorization-mode=RBAC --endpoint-reconciler-type=none --allow-privileged=true
    if lone_api_answers "$dir" "$port"; then
      echo "$port" >"$dir/port"
      write_kubeconfig "$dir" admin 127.0.0.1 "$port" "$dir/kubeconfig"
      echo "$dir/kubeconfig"
      return
    fi
    # Somebody else took the port: another one.
    end "$dir" apiserver TERM 10
    end "$dir" kine TERM 10
    rm -f "$dir/port" "$dir/certs"/apiserver.*
  done
  tail -n 5 "$dir/logs/apiserver.log" >&2
  fail "no API server starts in $dir ($attempt attempts); see $dir/logs"
}

api_down() {
  local dir
  [ -d "$1" ] || return 0
  dir=$(cd "$1" && pwd -P)
  end "$dir" apiserver TERM 10
  end "$dir" kine TERM 10
  if [ -f "$dir/sockets" ]; then
    rm -rf "$(cat "$dir/sockets")"
    rm -f "$dir/sockets"
  fi
}

# Ends early when the API server has ended.
lone_api_answers() {
  local started=$SECONDS
  until answers_ready "$1" 127.0.0.1 "$2"; do
    pid_of "$1" apiserver >/dev/null || return 1
    [ $((SECONDS - started)) -lt 90 ] || return 1
    sleep 0.2
  done
  pid_of "$1" apiserver >/dev/null
}

# The path of a socket may be 107 characters long, that of a test's directory is often longer.
socket_directory() {
  local dir=$1
  if [ ! -d "$(cat "$dir/sockets" 2>/dev/null)" ]; then mktemp -d "${TMPDIR:-/tmp}/kine.XXXXXX" >"$dir/sockets"; fi
  cat "$dir/sockets"
}
