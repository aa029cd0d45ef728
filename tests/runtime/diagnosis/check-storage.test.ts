import { expect, test } from "bun:test";
import { checkDisks, checkImageStore } from "../../../src/runtime/diagnosis/check-storage.ts";
import { docker, dockerInfo, machineWith, podman, podmanInfo } from "./healthy-facts.ts";

const cache = { path: "/home/ada/.cache/cooper", free: 100e9 };

test("vfs is slow, and the way to overlay is the engine's own", () => {
  const [check] = checkImageStore(podman({ info: podmanInfo({ storageDriver: "vfs" }) }), machineWith());
  expect([check?.status, check?.remedy]).toEqual([
    "warning",
    'Write driver = "overlay" under [storage] in ~/.config/containers/storage.conf; what is stored now has to go, and is dropped by podman system reset.\n' +
      "  sudo apt-get install fuse-overlayfs\n  podman system reset",
  ]);
  const rootful = podman({ info: podmanInfo({ storageDriver: "vfs", rootless: false }) });
  const [second] = checkImageStore(rootful, machineWith(["fuse-overlayfs"]));
  expect(second?.remedy).toContain("/etc/containers/storage.conf");
  expect(second?.remedy).toEndWith("reset.\n  sudo podman system reset");
  const [third] = checkImageStore(docker({ info: dockerInfo({ storageDriver: "vfs" }) }), machineWith());
  expect(third?.remedy).toContain('"storage-driver": "overlay2"');
});

test("Podman without registries to search is told how to search Docker Hub, for one user or for all", () => {
  const check = (rootless: boolean) =>
    checkImageStore(podman({ info: podmanInfo({ searchRegistries: [], rootless }) }), machineWith()).at(-1);
  expect([check(true)?.status, check(true)?.remedy]).toEqual([
    "warning",
    "Write names in full (docker.io/acme/tool), or have Podman look at Docker Hub:\n" +
      "  mkdir -p ~/.config/containers/registries.conf.d\n" +
      "  echo 'unqualified-search-registries = [\"docker.io\"]' > ~/.config/containers/registries.conf.d/unqualified.conf",
  ]);
  expect(check(false)?.remedy).toEndWith(
    "\n  echo 'unqualified-search-registries = [\"docker.io\"]' | sudo tee /etc/containers/registries.conf.d/unqualified.conf",
  );
});

test.each([
  [999_999_999, "problem", "999 MB free at /var/lib/docker"],
  [1_000_000_000, "warning", "1.0 GB free at /var/lib/docker"],
  [4_999_999_999, "warning", "4.9 GB free at /var/lib/docker"],
  [5_000_000_000, "ok", "5.0 GB free at /var/lib/docker"],
  [123_456_789_012, "ok", "123 GB free at /var/lib/docker"],
] as const)("%d bytes left are judged: %s", (free, status, detail) => {
  const [images] = checkDisks({ path: "docker", disk: { path: "/var/lib/docker", free } }, cache);
  expect(images).toMatchObject({ id: "disk-images", status, detail });
});

test("room is made with the engine's own means, or by another place for the cache", () => {
  const checks = checkDisks({ path: "podman", disk: { path: "/s", free: 0 } }, { ...cache, free: 2e9 });
  expect(checks.map(({ remedy }) => remedy)).toEqual([
    "Free some, after a look at what takes it:\n  podman system df\n  podman system prune",
    "Free some, or keep the cache elsewhere with XDG_CACHE_HOME. What is in /home/ada/.cache/cooper can go at any time.",
  ]);
});

test("an engine elsewhere has no disk to look at, and an unknown one is no reason to warn", () => {
  expect(checkDisks(undefined, cache).map(({ id }) => id)).toEqual(["disk-cache"]);
  expect(checkDisks(undefined, { ...cache, free: undefined })).toMatchObject([
    { status: "ok", detail: "not known for /home/ada/.cache/cooper" },
  ]);
});
