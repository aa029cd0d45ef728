# linux/arm64 beside this machine's platform: its programs run under qemu, and busybox and alpine in docker-containerd are images of
# both platforms, also in the registries when those are up.

registered=/proc/sys/fs/binfmt_misc/qemu-aarch64

up_arm64() {
  local qemu
  local magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
  local mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
  unpack_packages trixie qemu-user
  qemu=$(suite_root trixie)/usr/bin/qemu-aarch64
  mountpoint -q /proc/sys/fs/binfmt_misc || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
  # F: the kernel opens qemu now, so that it works in containers that do not have it.
  [ -e "$registered" ] || printf '%s' ":qemu-aarch64:M::$magic:$mask:$qemu:F" >/proc/sys/fs/binfmt_misc/register
  if is_ours docker-containerd "$(docker_socket docker-containerd)"; then build_two_platform_images; fi
  say "arm64"
}

build_two_platform_images() {
  local names=(-t docker.io/library/busybox:latest -t docker.io/library/alpine:latest) architecture
  if docker_containerd_cli image inspect dev.cooper.test/two-platforms >/dev/null 2>&1; then return; fi
  for architecture in amd64 arm64; do make_busybox_rootfs "$architecture"; done
  printf '%s\n' 'FROM scratch' 'ARG TARGETARCH' 'ADD busybox-$TARGETARCH.tar /' 'CMD ["/bin/sh"]' >"$ENGINES/rootfs/Dockerfile"
  docker_containerd_cli buildx build --quiet --platform linux/amd64,linux/arm64 --provenance=false --load \
    "${names[@]}" -t dev.cooper.test/two-platforms "$ENGINES/rootfs" >"$ENGINES/log/images" 2>&1 || fail "could not build the images of two platforms: see $ENGINES/log/images"
  if [ -n "${plain:-}" ]; then
    docker_containerd_cli tag alpine:latest "$plain/library/alpine:latest"
    docker_containerd_cli push --quiet "$plain/library/alpine:latest" >/dev/null
  fi
}

down_arm64() {
  if grep -qsF "interpreter $ENGINES/" "$registered"; then echo -1 >"$registered"; fi
}
