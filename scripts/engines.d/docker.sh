# dockerd with BuildKit, buildx and Compose, beside any other: own socket, data, bridge and rules. It runs in up to two variants, one
# for each image store: `docker` has Docker's own, `docker-containerd` has containerd's (multi-platform images, cache export).

docker_programs() { echo "$ENGINES/docker"; }
docker_home() { echo "$ENGINES/docker/$1"; }
# Not below $ENGINES: a socket's path has at most 104 characters.
docker_run() { echo "/run/$bridge/$1"; }
docker_socket() { echo "$(docker_run "$1")/docker.sock"; }
docker_cli() { docker_at docker "$@"; }
docker_containerd_cli() { docker_at docker-containerd "$@"; }
docker_at() {
  local socket
  socket=unix://$(docker_socket "$1")
  shift
  DOCKER_CONFIG=$(docker_programs)/config "$(docker_programs)/bin/docker" -H "$socket" "$@"
}

up_docker() { up_dockerd docker "${DOCKERD_CONFIG:-{\}}" 0; }
up_docker_containerd() { up_dockerd docker-containerd '{"features":{"containerd-snapshotter":true}}' 1; }

# up_dockerd VARIANT DAEMON_JSON HALF: the two variants share a bridge and take one half of its addresses each.
up_dockerd() {
  local home arguments
  home=$(docker_home "$1")
  install_packages runc iptables iproute2
  unpack_packages "$SUITE" docker.io docker-cli docker-buildx docker-compose containerd tini
  link_docker_programs "$(docker_programs)" "$ENGINES/suites/$SUITE"
  mkdir -p "$home"
  echo "$2" >"$home/daemon.json"
  arguments="$SUITE ${DOCKERD_ARGS:-} $2"
  if is_ours "$1" "$(docker_socket "$1")" && [ "$(cat "$home/arguments" 2>/dev/null)" != "$arguments" ]; then
    say "$1 runs with other settings: restarting it"
    stop_daemon "$1" "$(docker_socket "$1")"
  fi
  if ! is_ours "$1" "$(docker_socket "$1")"; then
    echo "$arguments" >"$home/arguments"
    start_dockerd "$1" "$home" "$3"
  fi
  load_base_images "${1//-/_}_cli"
  say "$1 $(docker_at "$1" version -f '{{.Server.Version}}') at $(docker_socket "$1")"
}

# The client alone goes on PATH of those who test; what the daemon needs stays in libexec.
link_docker_programs() {
  local home=$1 root=$2
  mkdir -p "$home"/{bin,libexec,config/cli-plugins}
  ln -sf "$root/usr/bin/docker" "$home/bin/docker"
  ln -sf "$root"/usr/bin/{containerd,containerd-shim-runc-v2,ctr} "$root"/usr/sbin/{dockerd,docker-proxy} "$home/libexec/"
  ln -sf "$(command -v runc || echo /usr/sbin/runc)" "$home/libexec/runc"
  ln -sf "$root/usr/bin/tini-static" "$home/libexec/docker-init"
  ln -sf "$root"/usr/libexec/docker/cli-plugins/docker-{buildx,compose} "$home/config/cli-plugins/"
  # podman reads the same directory and refuses it without this file.
  [ -s "$home/config/config.json" ] || echo '{}' >"$home/config/config.json"
}

start_dockerd() {
  local variant=$1 home=$2 half=$3 libexec
  libexec=$(docker_programs)/libexec
  mountpoint -q /sys/fs/cgroup || fail "docker needs a cgroup hierarchy at /sys/fs/cgroup, and none is mounted"
  open_network
  rm -f "$home/dockerd.pid"
  mkdir -p "$(docker_run "$variant")" "/tmp/$bridge-$variant"
  # shellcheck disable=SC2086 # DOCKERD_ARGS is a list of words
  DOCKER_TMPDIR=/tmp/$bridge-$variant PATH=$libexec:$PATH SSL_CERT_FILE=$ENGINES/certs/bundle.crt start_daemon "$variant" "$libexec/dockerd" \
    -H "unix://$(docker_socket "$variant")" --config-file "$home/daemon.json" --data-root "$home/data-$SUITE" --exec-root "$(docker_run "$variant")/exec" \
    --pidfile "$home/dockerd.pid" --bridge "$bridge" --fixed-cidr "$container_net.$((half * 128))/25" \
    --default-address-pool "base=10.240.$((slot * 4 + half * 2)).0/23,size=28" \
    --iptables=false --ip6tables=false --cgroup-parent "/$bridge-$half" ${DOCKERD_ARGS:-}
  wait_for "$variant" docker_at "$variant" version
}

# dockerd may not touch iptables, so that it disturbs no other; these rules are all that its containers need to reach out.
network_rules() {
  local net
  for net in "$container_net.0/24" "$address_pool"; do
    echo "nat POSTROUTING -s $net ! -d $net -j MASQUERADE"
    echo "filter FORWARD -s $net -j ACCEPT"
    echo "filter FORWARD -d $net -j ACCEPT"
  done
}

open_network() {
  local table chain rule
  if ! ip link show "$bridge" >/dev/null 2>&1; then
    ip link add "$bridge" type bridge
    ip addr add "$container_net.1/24" dev "$bridge"
    ip link set "$bridge" up
  fi
  sysctl -qw net.ipv4.ip_forward=1
  while read -r table chain rule; do
    # shellcheck disable=SC2086 # a rule is a list of words
    iptables -w -t "$table" -C "$chain" $rule 2>/dev/null || iptables -w -t "$table" -I "$chain" $rule
  done < <(network_rules)
}

close_network() {
  local table chain rule
  command -v iptables >/dev/null || return 0
  while read -r table chain rule; do
    # shellcheck disable=SC2086
    iptables -w -t "$table" -D "$chain" $rule 2>/dev/null || true
  done < <(network_rules)
  ip link del "$bridge" 2>/dev/null || true
}

environment_docker() {
  local programs
  programs=$(docker_programs)
  if [ -e "$ENGINES/run/docker.pid" ]; then
    echo "export DOCKER_HOST=unix://$(docker_socket docker) DOCKER_CONFIG=$programs/config PATH=$programs/bin:\$PATH"
    echo "export COOPER_TEST_DOCKER=$programs/bin/docker"
  fi
  if [ -e "$ENGINES/run/docker-containerd.pid" ]; then
    echo "export COOPER_TEST_DOCKER_CONTAINERD=$programs/bin/docker"
    echo "export COOPER_TEST_DOCKER_CONTAINERD_HOST=unix://$(docker_socket docker-containerd)"
  fi
}

down_docker() {
  local variant
  for variant in docker docker-containerd; do
    if is_ours "$variant" "$(docker_socket "$variant")"; then
      docker_at "$variant" ps -aq | while read -r id; do docker_at "$variant" rm -f "$id" >/dev/null || true; done
    fi
    stop_daemon "$variant" "$(docker_socket "$variant")"
  done
  rm -rf "/run/${bridge:?}" "/tmp/${bridge:?}-docker" "/tmp/${bridge:?}-docker-containerd"
  close_network
}
