# shellcheck shell=bash disable=SC2154
# Images without a registry: one made of a static busybox (the sandbox of every pod, and the helper
# of local volumes), and whatever the Docker engine of this machine has.

import_tools_image() {
  wait_for "containerd to answer" 180 containerd_answers
  [ -z "$(ctr_images ls -q "name==$tools_image" 2>/dev/null)" ] || return 0
  local work
  work=$(mktemp -d)
  tools_image_archive "$work" "$(static_busybox)"
  ctr_images import "$work/image.tar" >/dev/null || fail "containerd did not take the image $tools_image"
  rm -rf "$work"
}

ctr_images() {
  ctr -a "$containerd_socket" -n k8s.io images "$@"
}

# The format of `docker save`: a layer, its configuration, a manifest.
tools_image_archive() {
  local work=$1 busybox=$2 name
  mkdir -p "$work"/root/{bin,dev,etc,proc,run,sys,tmp,var}
  chmod 1777 "$work/root/tmp"
  cp "$busybox" "$work/root/bin/busybox"
  for name in $("$busybox" --list); do
    [ "$name" = busybox ] || ln -s busybox "$work/root/bin/$name"
  done
  echo 'root:x:0:0:root:/:/bin/sh' >"$work/root/etc/passwd"
  tar -C "$work/root" --numeric-owner --owner 0 --group 0 -cf "$work/layer.tar" .
  cat >"$work/config.json" <<CONFIG
{"architecture": "$(architecture)", "os": "linux",
 "config": {"Env": ["PATH=/bin"], "Cmd": ["/bin/sleep", "2147483647"], "WorkingDir": "/"},
 "rootfs": {"type": "layers", "diff_ids": ["sha256:$(sha256sum "$work/layer.tar" | cut -d ' ' -f 1)"]}}
CONFIG
  echo "[{\"Config\": \"config.json\", \"RepoTags\": [\"$tools_image\"], \"Layers\": [\"layer.tar\"]}]" \
    >"$work/manifest.json"
  tar -C "$work" -cf "$work/image.tar" manifest.json config.json layer.tar
}

architecture() {
  case $(uname -m) in
    x86_64) echo amd64 ;;
    aarch64) echo arm64 ;;
    armv*) echo arm ;;
    *) uname -m ;;
  esac
}

# A busybox that needs no libraries.
static_busybox() {
  local found
  for found in /bin/busybox /usr/bin/busybox; do
    if [ -x "$found" ] && ! LC_ALL=C grep -aqE '/ld-(linux|musl)[-a-z0-9_.]*\.so' "$found"; then
      echo "$found"
      return
    fi
  done
  return 1
}

# load K3S IMAGE...: from the Docker engine into the cluster.
load() {
  local k3s=$1
  shift
  command -v docker >/dev/null || fail "the docker client is missing (Debian: apt-get install docker.io)"
  docker version --format '{{.Server.Version}}' >/dev/null 2>&1 ||
    fail "no Docker engine answers, so there is nothing to load from; start one: hack/docker up"
  docker image inspect "$@" >/dev/null 2>&1 || fail "the Docker engine has not all of these images: $*"
  if [ -n "$k3s" ]; then
    docker save "$@" | k3s ctr -n k8s.io images import - >/dev/null
  else
    containerd_answers || fail "the cluster is not up; start it: hack/cluster up"
    docker save "$@" | ctr_images import - >/dev/null
  fi
  echo "Loaded $*. Pods find it with imagePullPolicy IfNotPresent or Never."
}

install_packages() {
  local wanted=()
  command -v containerd >/dev/null && command -v ctr >/dev/null || wanted+=(containerd)
  command -v iptables >/dev/null || wanted+=(iptables)
  command -v conntrack >/dev/null || wanted+=(conntrack)
  command -v openssl >/dev/null || wanted+=(openssl)
  command -v ip >/dev/null || wanted+=(iproute2)
  cni_plugins >/dev/null || wanted+=(containernetworking-plugins)
  static_busybox >/dev/null || wanted+=(busybox-static)
  [ ${#wanted[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || no_way "these are missing here, and only apt-get is known: ${wanted[*]}"
  echo "Installing ${wanted[*]} ..."
  {
    apt-get update -qq || true
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${wanted[@]}"
  } >"$state/logs/packages.log" 2>&1 8>&- 9>&- || no_way "apt-get install ${wanted[*]} failed (see $state/logs/packages.log)"
}
