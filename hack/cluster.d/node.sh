# shellcheck shell=bash disable=SC2154
# The node: containerd (one of our own beside Docker's), kubelet, kube-proxy, and as daemons of the
# host what k3s runs as pods: CoreDNS and the provisioner of local volumes.

containerd_socket=$state/run/containerd.sock

start_node() {
  wait_for "containerd to answer" 180 containerd_answers
  start_kubelet
  start_kube_proxy
  start_coredns
  start_local_path
}

start_containerd() {
  mkdir -p "$state/cni" "$state/registries"
  write_cni_config
  cat >"$state/containerd.toml" <<CONFIG
version = 2
root = "$state/containerd"
state = "$state/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
address = "$containerd_socket"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "$tools_image"
# Without CAP_SYS_RESOURCE no process may lower its score, and every sandbox would fail.
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "$(cni_plugins)"
conf_dir = "$state/cni"
# REGISTRY:PORT/hosts.toml says how one is reached and whom to trust; read at every fetch.
[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "$state/registries"
CONFIG
  daemon "$state" containerd containerd --config "$state/containerd.toml"
}

containerd_answers() {
  timeout 10 ctr -a "$containerd_socket" version >/dev/null 2>&1
}

# Routed pods, addresses from a file, host ports. Nothing here enforces a NetworkPolicy.
write_cni_config() {
  cat >"$state/cni/10-iotistic.conflist" <<CONFIG
{"cniVersion": "0.4.0", "name": "iotistic-cluster", "plugins": [
  {"type": "ptp", "ipMasq": true,
   "ipam": {"type": "host-local", "dataDir": "$state/run/addresses",
            "ranges": [[{"subnet": "$pod_network"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "snat": true, "capabilities": {"portMappings": true}}]}
CONFIG
}

cni_plugins() {
  local found
  for found in /usr/lib/cni /opt/cni/bin; do
    if [ -x "$found/ptp" ] && [ -x "$found/portmap" ]; then
      echo "$found"
      return
    fi
  done
  return 1
}

start_kubelet() {
  mkdir -p "$state"/{pod-logs,volume-plugins}
  # Open to whoever reaches the node's own bridge, else logs and exec would want certificates.
  cat >"$state/kubelet.yaml" <<CONFIG
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $node_address
readOnlyPort: 0
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
containerRuntimeEndpoint: unix://$containerd_socket
cgroupDriver: cgroupfs
failSwapOn: false
failCgroupV1: false
clusterDNS: [$dns_address]
clusterDomain: cluster.local
podLogsDir: $state/pod-logs
volumePluginDir: $state/volume-plugins
maxPods: 240
oomScoreAdj: 0
kubeAPIQPS: 200
kubeAPIBurst: 400
eventRecordQPS: 100
eventBurst: 200
serializeImagePulls: false
# Images can't be pulled again here: never collect them, and evict only at the very end.
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, nodefs.inodesFree: 1%, imagefs.available: 1%}
CONFIG
  daemon "$state" kubelet "$bin/kubelet" \
    --config="$state/kubelet.yaml" --kubeconfig="$state/kubeconfigs/kubelet" \
    --root-dir="$state/kubelet" --cert-dir="$state/kubelet/pki" \
    --node-ip="$node_address" --hostname-override="$node_name"
}

start_kube_proxy() {
  # 0: leaves the kernel's connection tracking as it is.
  daemon "$state" kube-proxy "$bin/kube-proxy" \
    --kubeconfig="$state/kubeconfigs/kube-proxy" --hostname-override="$node_name" \
    --proxy-mode=iptables --cluster-cidr="$pod_network" \
    --conntrack-max-per-core=0 --conntrack-min=0 \
    --conntrack-tcp-timeout-established=0 --conntrack-tcp-timeout-close-wait=0 \
    --metrics-bind-address=127.0.0.1:10249 --healthz-bind-address=127.0.0.1:10256
}

start_coredns() {
  # The same plugins and times as in k3s. Names outside go where this machine asks, if anywhere.
  cat >"$state/Corefile" <<CONFIG
.:53 {
  bind $node_address
  errors
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    kubeconfig $state/kubeconfigs/coredns
    pods insecure
    fallthrough in-addr.arpa ip6.arpa
  }
  $(grep -q '^nameserver' /etc/resolv.conf && echo 'forward . /etc/resolv.conf')
  cache 30
  loadbalance
}
CONFIG
  daemon "$state" coredns "$bin/coredns" -conf "$state/Corefile"
}

# Asks through the Service, so that it also proves kube-proxy.
dns_answers() {
  timeout 10 "$(static_busybox)" nslookup kubernetes.default.svc.cluster.local "$dns_address" >/dev/null 2>&1
}

start_local_path() {
  mkdir -p "$state/volumes"
  cat >"$state/local-path.json" <<CONFIG
{"nodePathMap": [{"node": "DEFAULT_PATH_FOR_NON_LISTED_NODES", "paths": ["$state/volumes"]}]}
CONFIG
  manifests >"$state/manifests.yaml"
  # It reads a ConfigMap when it starts, and gives up without.
  wait_for "the manifests to be applied" 180 kube apply -f "$state/manifests.yaml"
  daemon "$state" local-path "$bin/local-path-provisioner" start \
    --kubeconfig "$state/kubeconfigs/local-path" --namespace kube-system \
    --config "$state/local-path.json" --helper-image "$tools_image"
}

manifests() {
  sed -e "s|NODE_ADDRESS|$node_address|; s|DNS_ADDRESS|$dns_address|; s|TOOLS_IMAGE|$tools_image|" \
    "$root/hack/cluster.d/manifests.yaml"
}
