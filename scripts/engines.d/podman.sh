# This system's podman, rootful, with storage and settings of its own.

podman_home() { echo "$ENGINES/podman"; }
podman_cli() { CONTAINERS_CONF=$(podman_home)/containers.conf CONTAINERS_STORAGE_CONF=$(podman_home)/storage.conf podman "$@"; }

up_podman() {
  local home
  home=$(podman_home)
  install_packages podman catatonit uidmap slirp4netns fuse-overlayfs netavark aardvark-dns runc
  mkdir -p "$home/networks"
  write_podman_settings "$home"
  chmod 666 /dev/net/tun /dev/fuse 2>/dev/null || true
  mount --make-rshared / || true
  load_base_images podman_cli
  say "podman $(podman_cli version -f '{{.Client.Version}}')"
}

# runc and cgroupfs: crun refuses a machine with cgroups v1 and v2 side by side, and there is no systemd to ask.
# The ulimits are this machine's: asking for more than it allows fails every run.
write_podman_settings() {
  local home=$1 files
  files=$(ulimit -Hn)
  cat >"$home/containers.conf" <<CONF
[containers]
default_ulimits = ["nofile=$files:$files", "nproc=32768:32768"]
[network]
default_subnet = "10.232.$slot.0/24"
network_config_dir = "$home/networks"
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "file"
CONF
  cat >"$home/storage.conf" <<CONF
[storage]
driver = "overlay"
graphroot = "$home/storage"
runroot = "$ENGINES/run/podman"
CONF
}

environment_podman() {
  local home
  home=$(podman_home)
  [ -s "$home/storage.conf" ] || return 0
  echo "export CONTAINERS_CONF=$home/containers.conf CONTAINERS_STORAGE_CONF=$home/storage.conf COOPER_TEST_PODMAN=$(command -v podman)"
}

down_podman() {
  [ -s "$(podman_home)/storage.conf" ] && command -v podman >/dev/null || return 0
  podman_cli rm --all --force --time 0 >/dev/null 2>&1 || say "podman could not remove all of its containers"
}
