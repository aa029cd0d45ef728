import { expect, test } from "bun:test";
import { judgeSandboxMeans, type SandboxFacts } from "../../src/runtime/judge-sandbox-means.ts";

const ADA: SandboxFacts = {
  platform: "linux",
  user: { name: "ada", id: 1000, groupId: 100 },
  maySetUp: false,
  container: undefined,
  userMap: "         0          0 4294967295\n",
  groupMap: "         0          0 4294967295\n",
  unshare: "/usr/bin/unshare",
  newuidmap: "/usr/bin/newuidmap",
  newgidmap: "/usr/bin/newgidmap",
  fuseOverlayfs: undefined,
  subordinateUsers: "bob:1:65536\nada:5:10\nada:200000:65536\n",
  subordinateGroups: "1000:300000:65536\n",
};

test("an ordinary user has the first range that is large enough, by name or by number", () => {
  expect(judgeSandboxMeans(ADA)).toEqual({
    kind: "means",
    means: {
      identity: "user-namespace",
      fuseOverlayfs: null,
      ids: {
        user: { own: 1000, start: 200000, size: 65536, isFirst: false },
        group: { own: 100, start: 300000, size: 65536, isFirst: true },
      },
    },
  });
});

const ROOT = { user: { name: "root", id: 0, groupId: 0 } };

test("root of a container that may mount nothing keeps the ids that it has there, in a user namespace", () => {
  const inside = {
    ...ADA,
    ...ROOT,
    newuidmap: undefined,
    container: "podman" as const,
    userMap: "         0       1000          1\n         1     100000      65536\n",
    groupMap: "         0          0 4294967295\n",
  };
  expect(judgeSandboxMeans(inside)).toEqual({
    kind: "means",
    means: {
      identity: "root-namespace",
      fuseOverlayfs: null,
      container: "podman",
      uids: "0 0 1\n1 1 65536",
      gids: "0 0 4294967295",
    },
  });
});

test("root needs unshare alone", () => {
  const root = { ...ADA, ...ROOT, maySetUp: true, newuidmap: undefined, subordinateUsers: null };
  expect(judgeSandboxMeans({ ...root, fuseOverlayfs: "/bin/fuse-overlayfs" })).toEqual({
    kind: "means",
    means: { identity: "root", fuseOverlayfs: "/bin/fuse-overlayfs" },
  });
  expect(judgeSandboxMeans({ ...root, unshare: undefined })).toEqual({
    kind: "lacking",
    lacks: [{ kind: "program", program: "unshare", package: "util-linux" }],
  });
});

test("everything that an ordinary user lacks is said at once", () => {
  const bare = { ...ADA, newuidmap: undefined, newgidmap: undefined, subordinateUsers: null, subordinateGroups: "" };
  expect(judgeSandboxMeans(bare)).toEqual({
    kind: "lacking",
    lacks: [
      { kind: "program", program: "newuidmap", package: "uidmap" },
      { kind: "program", program: "newgidmap", package: "uidmap" },
      { kind: "subordinate ids", file: "/etc/subuid" },
      { kind: "subordinate ids", file: "/etc/subgid" },
    ],
  });
});

test("elsewhere than on Linux the platform is all that is said", () => {
  expect(judgeSandboxMeans({ ...ADA, platform: "darwin" })).toEqual({
    kind: "lacking",
    lacks: [{ kind: "platform", platform: "darwin" }],
  });
});
