# shellcheck shell=bash disable=SC2154
# Stops all of it, also what a crash left. Pods outlive kubelet and containerd, so they are found by
# their cgroup and their shims by the socket they belong to.

down() {
  local name
  if [ -n "${1:-}" ]; then k3s_end; fi
  refuse_beside_others
  end "$state" kubelet TERM 5
  end "$state" local-path TERM 5
  end "$state" kube-proxy TERM 5
  end_pods
  for name in coredns scheduler controller-manager; do end "$state" "$name" TERM 5; done
  end "$state" apiserver TERM 10
  end "$state" kine TERM 10
  end "$state" containerd TERM 10
  unmount_below "$state"
  remove_network
  # As after a reboot: nothing of a pod that ran is in it but what the disk keeps.
  rm -rf --one-file-system "$state/run"
  echo "The cluster is down. Its data stays in $state (hack/cluster reset forgets it)."
}

end_pods() {
  local round
  for round in $(seq 100); do
    pod_processes | kill_all
    [ -n "$(pod_processes)" ] || break
    sleep 0.1
  done
  [ "$round" -lt 100 ] || echo "hack/cluster: some processes of pods do not end: $(pod_processes | tr '\n' ' ')" >&2
  remove_cgroups
}

kill_all() {
  local pid
  while read -r pid; do [ "$pid" -le 1 ] || kill -s KILL "$pid" 2>/dev/null || true; done
}

# Process ids in the cgroups of pods, and of the shims. Cgroups vanish while they are read.
pod_processes() {
  local cgroup
  for cgroup in $(pod_cgroups); do cat "$cgroup/cgroup.procs" 2>/dev/null || true; done | sort -un
  grep -laF "$containerd_socket" /proc/[0-9]*/cmdline 2>/dev/null | while read -r file; do
    if grep -qa containerd-shim "$file" 2>/dev/null; then basename "$(dirname "$file")"; fi
  done || true
}

pod_cgroups() {
  find /sys/fs/cgroup/kubepods /sys/fs/cgroup/*/kubepods -depth -type d 2>/dev/null || true
}

remove_cgroups() {
  local cgroup
  for cgroup in $(pod_cgroups); do rmdir "$cgroup" 2>/dev/null || true; done
}

# All pods of a machine are in the same cgroups, and their rules in the same chains: with another
# kubelet beside ours, its pods would be ended and its rules removed.
refuse_beside_others() {
  local file directory
  for file in $(grep -lxE 'kubelet|k3s|k3s-server|rke2|k0s' /proc/[0-9]*/comm 2>/dev/null || true); do
    directory=$(dirname "$file")
    if [ -d "$directory" ] && ! grep -qaF "$state/" "$directory/cmdline" 2>/dev/null; then
      fail "another Kubernetes node runs on this machine (process $(basename "$directory")); one at a time"
    fi
  done
}

# Volumes, root file systems and network namespaces of pods, the innermost first.
unmount_below() {
  local mount
  awk -v below="$1/" 'index($2, below) == 1 { print $2 }' /proc/self/mounts | sort -r | while read -r mount; do
    mount=$(printf '%b' "$mount")
    umount "$mount" 2>/dev/null || umount -l "$mount" 2>/dev/null || true
  done
}
