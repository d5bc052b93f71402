# shellcheck shell=bash disable=SC2154
# The node's address on a bridge of its own, and the way through this machine's firewall.

make_network() {
  [ "$(cat /proc/sys/net/ipv4/ip_forward)" = 1 ] || echo 1 >/proc/sys/net/ipv4/ip_forward
  if [ ! -d "/sys/class/net/$bridge" ]; then
    ip link add "$bridge" type bridge || no_way "this machine lets nobody make a network bridge"
  fi
  ip addr replace "$node_address/24" dev "$bridge"
  ip link set "$bridge" up
  # Docker's policy for what is forwarded is DROP.
  forward_rule -s || iptables -w -I FORWARD -s "$pod_network" -m comment --comment iotistic-cluster -j ACCEPT
  forward_rule -d || iptables -w -I FORWARD -d "$pod_network" -m comment --comment iotistic-cluster -j ACCEPT
}

forward_rule() {
  iptables -w -C FORWARD "$1" "$pod_network" -m comment --comment iotistic-cluster -j ACCEPT 2>/dev/null
}

remove_network() {
  local direction table
  for direction in -s -d; do
    while forward_rule "$direction"; do
      iptables -w -D FORWARD "$direction" "$pod_network" -m comment --comment iotistic-cluster -j ACCEPT
    done
  done
  [ ! -x "$bin/kube-proxy" ] || timeout 60 "$bin/kube-proxy" --cleanup >/dev/null 2>&1 || true
  for table in nat filter mangle; do
    iptables-save -t "$table" | rules_to_remove "$table" | iptables-restore -w --noflush ||
      echo "hack/cluster: some iptables rules of the pods stay in the table $table" >&2
  done
  ip link delete "$bridge" 2>/dev/null || true
}

# From a table as saved: the orders that take away the chains of kubelet (KUBE-) and of the network
# plugins (CNI-), and the rules elsewhere that lead there. In one go, so no rule of others is touched.
rules_to_remove() {
  awk -v table="$1" '
    BEGIN { print "*" table }
    /^:(CNI|KUBE)-/ { chain = substr($1, 2); flush = flush "-F " chain "\n"; drop = drop "-X " chain "\n" }
    /^-A / && $2 !~ /^(CNI|KUBE)-/ && / -j (CNI|KUBE)-/ { sub(/^-A/, "-D"); print }
    END { printf "%s%sCOMMIT\n", flush, drop }'
}
