# Base images without a public registry: Debian from its packages, under the names that tests and fixtures use.

stand_ins=(debian:latest debian:bookworm ubuntu:latest ubuntu:24.04)
dev_container_stand_ins=(mcr.microsoft.com/devcontainers/base:debian mcr.microsoft.com/devcontainers/base:ubuntu)

# What debian:bookworm-slim holds, as one tar, made once.
make_debian_rootfs() {
  local file=$ENGINES/rootfs/debian.tar
  if [ -s "$file" ]; then return; fi
  install_packages mmdebstrap
  mkdir -p "$ENGINES/rootfs"
  mmdebstrap --quiet --variant=minbase --mode=root --include=ca-certificates \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --aptopt='Apt::Install-Recommends "false"' --customize-hook='rm -f "$1/etc/resolv.conf" "$1/etc/hostname"' \
    --format=tar bookworm "$file.partial" "$(mirror)" >"$ENGINES/log/rootfs" 2>&1 ||
    { tail -n 15 "$ENGINES/log/rootfs" >&2; fail "could not make the base image; the end of $ENGINES/log/rootfs is above"; }
  mv "$file.partial" "$file"
  say "made $file"
}

# make_busybox_rootfs ARCHITECTURE: a file system of one static busybox, which is what a base without bash, apt or glibc looks like.
# It says that it is Alpine, but has no apk.
make_busybox_rootfs() {
  local file=$ENGINES/rootfs/busybox-$1.tar root applet
  if [ -s "$file" ]; then return; fi
  install_packages busybox-static
  unpack_packages "bookworm:$1" busybox-static
  root=$(mktemp -d "$ENGINES/busybox.XXXXXX")
  chmod 755 "$root"
  mkdir -p "$ENGINES/rootfs" "$root"/{bin,dev,etc,home,proc,root,sbin,sys,tmp,usr/bin,usr/sbin,var}
  chmod 1777 "$root/tmp"
  cp "$(suite_root "bookworm:$1")/bin/busybox" "$root/bin/"
  for applet in $(/bin/busybox --list); do [ -e "$root/bin/$applet" ] || ln -s busybox "$root/bin/$applet"; done
  echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
  echo 'root:x:0:' >"$root/etc/group"
  printf 'ID=alpine\nNAME="Alpine Linux"\nVERSION_ID=3.20.0\n' >"$root/etc/os-release"
  tar -C "$root" --sort=name --mtime=@0 -cf "$file.partial" .
  mv "$file.partial" "$file"
  rm -rf "$root"
}

# load_base_images ENGINE…: ENGINE is the command line of a docker or podman.
load_base_images() {
  local rootfs=$ENGINES/rootfs architecture name
  architecture=$(dpkg --print-architecture)
  if "$@" image inspect docker.io/library/alpine:latest >/dev/null 2>&1; then return; fi
  make_debian_rootfs
  make_busybox_rootfs "$architecture"
  "$@" import -c 'CMD ["bash"]' -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    "$rootfs/debian.tar" docker.io/library/debian:bookworm-slim >/dev/null 2>"$ENGINES/log/images"
  for name in "${stand_ins[@]/#/docker.io/library/}" "${dev_container_stand_ins[@]}"; do
    "$@" tag docker.io/library/debian:bookworm-slim "$name"
  done
  "$@" import -c 'CMD ["/bin/sh"]' "$rootfs/busybox-$architecture.tar" docker.io/library/busybox:latest >/dev/null 2>"$ENGINES/log/images"
  "$@" tag docker.io/library/busybox:latest docker.io/library/alpine:latest
  say "loaded base images into ${1%_cli}"
}
