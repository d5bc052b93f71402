# shellcheck shell=bash disable=SC2154
# The same commands on a k3s that is installed here. Untested: no k3s could be had where this was
# written. Only what the tests need is on: they bring their own ingress, and no load balancer.

k3s_up() {
  command -v k3s >/dev/null || no_way "k3s is not installed here (hack/cluster up, without --k3s, needs none)"
  "$root/hack/cluster-tools" kubectl helm
  touch "$state/k3s"
  daemon "$state" k3s k3s server --data-dir "$state/k3s-data" --node-name "$node_name" \
    --write-kubeconfig "$kubeconfig" --disable traefik,servicelb,metrics-server
}

k3s_end() {
  end "$state" k3s TERM 30
  # Where k3s keeps its own: the shims of its pods are found by it.
  containerd_socket=/run/k3s/containerd/containerd.sock
}
