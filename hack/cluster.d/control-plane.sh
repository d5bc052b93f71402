# shellcheck shell=bash disable=SC2154
# Datastore, API server, controller manager, scheduler. Throw-away security: a token per client in
# a file, and a certificate that the API server makes for itself and that lasts a year.

start_control_plane() {
  start_containerd
  start_kine
  start_apiserver
  import_tools_image
  wait_for "the API server to answer" 300 api_is_ready
  write_kubeconfigs
  start_controller_manager
  start_scheduler
}

start_kine() {
  run_kine "$state" "$state/run/kine.sock"
}

start_apiserver() {
  make_credentials "$state"
  run_apiserver "$state" "$state/run/kine.sock" "$node_address" 6443 \
    --advertise-address="$node_address" \
    --authorization-mode=Node,RBAC \
    --kubelet-preferred-address-types=InternalIP \
    --allow-privileged=true
}

api_is_ready() {
  answers_ready "$state" "$node_address" 6443
}

start_controller_manager() {
  daemon "$state" controller-manager "$bin/kube-controller-manager" \
    --kubeconfig="$state/kubeconfigs/controller-manager" \
    --authentication-kubeconfig="$state/kubeconfigs/controller-manager" \
    --authorization-kubeconfig="$state/kubeconfigs/controller-manager" \
    --service-account-private-key-file="$state/certs/accounts.key" \
    --root-ca-file="$state/certs/apiserver.crt" \
    --cluster-name=iotistic --bind-address=127.0.0.1 --leader-elect=false \
    --use-service-account-credentials=true \
    --kube-api-qps=200 --kube-api-burst=400
}

start_scheduler() {
  daemon "$state" scheduler "$bin/kube-scheduler" \
    --kubeconfig="$state/kubeconfigs/scheduler" \
    --authentication-kubeconfig="$state/kubeconfigs/scheduler" \
    --authorization-kubeconfig="$state/kubeconfigs/scheduler" \
    --bind-address=127.0.0.1 --leader-elect=false --kube-api-qps=200 --kube-api-burst=400
}

# run_kine DIR SOCKET: etcd's interface on an SQLite file, as in k3s.
run_kine() {
  local dir=$1 socket=$2
  mkdir -p "$dir/kine"
  pid_of "$dir" kine >/dev/null || rm -f "$socket"
  daemon "$dir" kine "$bin/kine" \
    --endpoint "sqlite://$dir/kine/state.db?_journal_mode=WAL&_busy_timeout=30000&_synchronous=NORMAL&_txlock=immediate&cache=shared" \
    --listen-address "unix://$socket" --metrics-bind-address 0
  wait_for "kine to listen" 180 test -S "$socket"
}

# run_apiserver DIR SOCKET ADDRESS PORT FLAG...
# Room for a thousand requests at once: the tests measure the product, not the server's queue.
run_apiserver() {
  local dir=$1 socket=$2 address=$3 port=$4
  shift 4
  daemon "$dir" apiserver "$bin/kube-apiserver" \
    --etcd-servers="unix://$socket" \
    --bind-address="$address" --secure-port="$port" --cert-dir="$dir/certs" \
    --service-cluster-ip-range="$service_network" \
    --service-account-issuer=https://kubernetes.default.svc \
    --service-account-key-file="$dir/certs/accounts.key" \
    --service-account-signing-key-file="$dir/certs/accounts.key" \
    --token-auth-file="$dir/certs/tokens.csv" --anonymous-auth=false \
    --max-requests-inflight=2000 --max-mutating-requests-inflight=1000 \
    "$@"
}

# make_credentials DIR: one key for service accounts, a token per client (once).
make_credentials() {
  local dir=$1 name user groups
  [ ! -f "$dir/certs/tokens.csv" ] || return 0
  mkdir -p "$dir/certs"
  chmod 700 "$dir/certs"
  openssl genrsa -out "$dir/certs/accounts.key" 2048 2>/dev/null
  while read -r name user groups; do
    od -An -N 16 -tx1 /dev/urandom | tr -d ' \n' >"$dir/certs/$name.token"
    echo "$(cat "$dir/certs/$name.token"),$user,$user,$groups"
  done <<CLIENTS >"$dir/certs/tokens.new"
admin admin system:masters
controller-manager system:kube-controller-manager
scheduler system:kube-scheduler
kubelet system:node:$node_name system:nodes
kube-proxy system:kube-proxy
coredns coredns system:masters
local-path local-path system:masters
CLIENTS
  mv "$dir/certs/tokens.new" "$dir/certs/tokens.csv"
}

# One for people (`kubeconfig`), one for each daemon.
write_kubeconfigs() {
  local name
  mkdir -p "$state/kubeconfigs"
  chmod 700 "$state/kubeconfigs"
  for name in controller-manager scheduler kubelet kube-proxy coredns local-path; do
    write_kubeconfig "$state" "$name" "$node_address" 6443 "$state/kubeconfigs/$name"
  done
  write_kubeconfig "$state" admin "$node_address" 6443 "$kubeconfig"
  [ -z "${SUDO_UID:-}" ] || chown "$SUDO_UID" "$kubeconfig"
}

# write_kubeconfig DIR CLIENT ADDRESS PORT FILE
write_kubeconfig() {
  local dir=$1 client=$2 address=$3 port=$4 file=$5
  (
    umask 077
    cat >"$file.new" <<CONFIG
apiVersion: v1
kind: Config
clusters:
- name: iotistic
  cluster:
    server: https://$address:$port
    certificate-authority-data: $(base64 -w 0 <"$dir/certs/apiserver.crt")
users:
- name: $client
  user: {token: "$(cat "$dir/certs/$client.token")"}
contexts:
- name: iotistic
  context: {cluster: iotistic, user: $client}
current-context: iotistic
CONFIG
    mv "$file.new" "$file"
  )
}

# answers_ready DIR ADDRESS PORT: every check of the API server passes.
answers_ready() {
  [ -s "$1/certs/apiserver.crt" ] || return 1
  write_kubeconfig "$1" admin "$2" "$3" "$1/certs/probe"
  [ "$(timeout 10 "$bin/kubectl" --kubeconfig "$1/certs/probe" get --raw /readyz 2>/dev/null)" = ok ]
}
