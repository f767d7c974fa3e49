# shellcheck shell=bash
# shellcheck disable=SC2154,SC2317,SC2329 # sourced by up, whose variables and functions it uses, and called through them
# What up --node adds: one node with real pods, in namespaces (network, mounts, processes) of its own.

# shellcheck source=../../lib.sh
. "$CLUSTER_SRC/../../lib.sh"

# What this machine has to have. Exit code 3 where it cannot be had.
node_requirements() {
  local pair missing=()
  skip() { say "skip: a node with real pods needs $*"; exit "$EXIT_SKIP"; }
  [ "$(id -u)" = 0 ] || skip "root"
  for pair in unshare:util-linux nsenter:util-linux ip:iproute2 sysctl:procps runc:runc iptables:iptables conntrack:conntrack; do
    ensure "${pair%%:*}" "${pair#*:}" || missing+=("${pair#*:}")
  done
  node_cni >/dev/null || ensure /usr/lib/cni/bridge containernetworking-plugins || missing+=(containernetworking-plugins)
  [ ${#missing[@]} = 0 ] || skip "these Debian packages: ${missing[*]}"
  unshare --net --mount --pid --fork true 2>/dev/null || skip "the right to make namespaces"
  [ -w "$(dirname "$(dirname "$(cgroup_parts "$dir")")")" ] || skip "control groups that it may write to"
  [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || modprobe br_netfilter 2>/dev/null || true
  [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || skip "the kernel's module br_netfilter"
  case $dir/ in /run/* | /var/run/* | /var/lib/* | /var/log/*) die "a node's directory must not be in /run, /var/lib or /var/log: $dir" ;; esac
}

node_cni() { local d; for d in /usr/lib/cni /opt/cni/bin /usr/libexec/cni; do [ -x "$d/bridge" ] && [ -x "$d/host-local" ] && echo "$d" && return; done; return 1; }

# ------------------------------------------------------------------------------------------------ its namespaces

start_sandbox() {
  local root
  mkdir -p node
  for root in $(cgroup_roots); do mkdir -p "$root/$(cgroup_name "$dir")"; done
  mkdir -p "$(cgroup_parts "$dir")"
  # It notes itself before it does anything: whatever is killed and when, down finds it by its control group.
  # shellcheck disable=SC2016 # expanded by the inner shell
  setsid bash -c '. "$1/lib.sh"; echo $$ > "$(cgroup_parts "${2%/}")/cgroup.procs"; printf "%s %s\n" $$ "$(start_time $$)" > "$2pids/sandbox"
    exec unshare --net --mount --pid --fork --kill-child --mount-proc --propagation private -- "$1/node-init" "$2" "$3"' \
    _ "$CLUSTER_SRC" "$dir/" "$address" > log/sandbox.log 2>&1 < /dev/null 8>&- &
  disown $!
  until [ -s pids/sandbox ] || [ -z "$(start_time $!)" ]; do sleep 0.02; done
  wait_for 10 sandbox "did not lay out the node" test -e node/laid-out
  enter_sandbox
}

enter_sandbox() {
  local init
  init=$(sandbox_init "$dir") || return
  # shellcheck disable=SC2016 # expanded by the inner shell
  enter=(bash -c 'echo $$ > "$0/cgroup.procs"; exec nsenter "$@"' "$(cgroup_parts "$dir")"
    --target "$init" --net --mount --pid --wd="$dir" -- env -i "PATH=$bin:$PATH" HOME=/root)
  enter_net=(nsenter --net="/proc/$init/ns/net" --)
}

# ------------------------------------------------------------------------------------------------ its parts

containerd_serves() { "${enter[@]}" ctr version >/dev/null 2>&1; }
kubelet_serves() { [ "$("${enter_net[@]}" curl -sf --noproxy '*' --max-time 2 http://127.0.0.1:10248/healthz)" = ok ]; }
kube_proxy_serves() { "${enter_net[@]}" curl -sf --noproxy '*' --max-time 2 -o /dev/null http://127.0.0.1:10256/healthz; }
coredns_serves() { "${enter_net[@]}" curl -sf --noproxy '*' --max-time 2 -o /dev/null http://127.0.0.1:8181/ready; }
local_path_serves() { grep -qs 'Started provisioner controller' log/local-path-provisioner.log; }
router_serves() { [ "$("${enter_net[@]}" curl -s --noproxy '*' --max-time 2 -o /dev/null -w '%{http_code}' "http://$address/")" = 404 ]; }

start_containerd() {
  cat > node/containerd.toml <<C
version = 3
disabled_plugins = ["io.containerd.nri.v1.nri"]
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "registry.k8s.io/pause:3.10.1"
[plugins.'io.containerd.cri.v1.runtime']
  # Not every machine lets its root lower these.
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["$(node_cni)"]
    conf_dir = "$dir/node/cni"
  [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
      SystemdCgroup = false
C
  mkdir -p node/cni
  cat > node/cni/10-pods.conflist <<'C'
{"cniVersion": "1.0.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.244.0.0/16"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
C
  start containerd --config "$dir/node/containerd.toml"
  wait_for 20 containerd "did not serve" containerd_serves
}

import_images() { # ARCHIVE...
  local archive
  for archive in "$@"; do
    "${enter[@]}" ctr --namespace k8s.io images import "$archive" > "$dir/log/import.log" 2>&1 ||
      { cat "$dir/log/import.log" >&2; die "containerd could not import $archive"; }
  done
}

start_kubelet() {
  cat > node/kubelet.yaml <<C
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
cgroupDriver: cgroupfs
cgroupRoot: /$(cgroup_name "$dir")
failCgroupV1: false
failSwapOn: false
enforceNodeAllocatable: []
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: "$dir/pki/ca.crt"}}
authorization: {mode: Webhook}
clusterDNS: [10.96.0.10]
clusterDomain: cluster.local
resolvConf: $dir/node/pods-resolv.conf
volumePluginDir: /var/lib/kubelet/volume-plugins
maxPods: 500
# The disk is the machine's and may be nearly full: neither images nor pods go because of it.
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 100Mi}
# Tests measure this project: nothing is throttled or put off.
kubeAPIQPS: 1000
kubeAPIBurst: 2000
registryPullQPS: 0
eventRecordQPS: 0
serializeImagePulls: false
syncFrequency: 10s
nodeStatusUpdateFrequency: 5s
crashLoopBackOff: {maxContainerRestartPeriod: 10s}
C
  : > node/pods-resolv.conf # pods ask the cluster's DNS and nobody else
  start kubelet --kubeconfig "$dir/pki/kubelet.kubeconfig" --config "$dir/node/kubelet.yaml" --hostname-override node-1 --node-ip "$address"
}

start_node_parts() {
  start_kubelet
  cat > node/kube-proxy.yaml <<C
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: "$dir/pki/kube-proxy.kubeconfig", qps: 1000, burst: 2000}
mode: iptables
iptables: {minSyncPeriod: 50ms}
clusterCIDR: 10.244.0.0/16
hostnameOverride: node-1
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
C
  start kube-proxy --config "$dir/node/kube-proxy.yaml"
  cat > node/Corefile <<C
cluster.local in-addr.arpa ip6.arpa {
  bind $address
  errors
  ready 127.0.0.1:8181
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    kubeconfig $dir/pki/coredns.kubeconfig
  }
}
# There is no way out of the node, and no use in asking for one.
. {
  bind $address
  template ANY ANY {
    rcode NXDOMAIN
  }
}
C
  start coredns -conf "$dir/node/Corefile"
  mkdir -p node/volumes
  printf '{"nodePathMap": [{"node": "DEFAULT_PATH_FOR_NON_LISTED_NODES", "paths": ["%s/node/volumes"]}]}\n' "$dir" > node/config.json
  cat > node/helperPod.yaml <<'C'
apiVersion: v1
kind: Pod
metadata: {name: helper-pod}
spec: {containers: [{name: helper-pod, image: "urumi/local-path-helper:1", imagePullPolicy: Never}]}
C
  # What the helper's pods run, which they find in a ConfigMap.
  printf '#!/bin/sh\nmkdir -m 0777 -p "$VOL_DIR"\n' > node/setup
  printf '#!/bin/sh\nrm -rf "$VOL_DIR"\n' > node/teardown
  kubectl create configmap local-path-config --namespace local-path-storage --from-file node/config.json --from-file node/setup --from-file node/teardown --from-file node/helperPod.yaml > log/base.log 2>&1 ||
    { cat log/base.log >&2; wipe "$dir"; die "could not create what every cluster has"; }
  start local-path-provisioner start --kubeconfig "$dir/pki/local-path-provisioner.kubeconfig" --config "$dir/node/config.json" \
    --configmap-name local-path-config --namespace local-path-storage --service-account-name default \
    --helper-image urumi/local-path-helper:1 --helper-pod-file "$dir/node/helperPod.yaml"
  start router --kubeconfig "$dir/pki/router.kubeconfig" --address "$address" --class urumi-test
}

wait_for_node_parts() {
  wait_for 30 kubelet "did not serve" kubelet_serves
  wait_for 30 kube-proxy "did not serve" kube_proxy_serves
  wait_for 30 coredns "did not serve" coredns_serves
  wait_for 30 local-path-provisioner "did not start" local_path_serves
  wait_for 30 router "did not serve" router_serves
}
