import { describe, expect, test } from "bun:test";
import { checkIsolation, type IsolationFacts } from "../../../src/runtime/diagnosis/check-isolation.ts";
import type { EngineFacts } from "../../../src/runtime/diagnosis/engine-facts.ts";
import type { Machine } from "../../../src/runtime/diagnosis/machine.ts";
import { docker, dockerInfo, machineWith, podman, podmanInfo } from "./healthy-facts.ts";

const plain: IsolationFacts = {
  hybridControllers: [],
  subordinateUsers: "ada:100000:65536\n",
  subordinateGroups: "ada:100000:65536\n",
  userNamespaces: true,
};

function find(
  id: string,
  engine: EngineFacts,
  changes: Partial<IsolationFacts> = {},
  machine: Machine = machineWith(),
) {
  const check = checkIsolation(engine, { ...plain, ...changes }, machine).find((candidate) => candidate.id === id);
  return check === undefined ? undefined : { status: check.status, detail: check.detail, remedy: check.remedy };
}

describe("rootless Podman", () => {
  const oneId = podman({ info: podmanInfo({ userIds: 1 }) });

  test("without subordinate ids is given a range that nobody has", () => {
    const facts = {
      subordinateUsers: "bob:100000:65536\n# x\neve:165536:65536",
      subordinateGroups: "bob:300000:65536\n",
    };
    expect(find("rootless", oneId, facts)).toEqual({
      status: "problem",
      detail: "containers of ada need 65536 user ids, and have 1: most images cannot be unpacked",
      remedy:
        "Give them to the user:\n" +
        "  sudo usermod --add-subuids 365536-431071 --add-subgids 365536-431071 ada\n" +
        "  podman system migrate",
    });
    expect(find("rootless", oneId, { subordinateUsers: null, subordinateGroups: null })?.remedy).toContain(
      "--add-subuids 100000-165535 ",
    );
  });

  test("that has not noticed its ids is told to look again", () => {
    expect(find("rootless", oneId)?.remedy).toBe(
      "/etc/subuid has them; have Podman look again:\n  podman system migrate",
    );
  });

  test("needs newuidmap, whose package is called otherwise everywhere", () => {
    const machine = machineWith([], { programs: new Set(["apt-get", "sudo"]) });
    expect(find("rootless", oneId, {}, machine)).toEqual({
      status: "problem",
      detail: "newuidmap and newgidmap are not installed: containers get one user id, and most images need more",
      remedy: "Install them:\n  sudo apt-get install uidmap\n  podman system migrate",
    });
    const alpine = machineWith([], { programs: new Set(["apk", "doas"]) });
    expect(find("rootless", oneId, {}, alpine)?.remedy).toContain("doas apk add shadow-uidmap");
  });

  test("needs a kernel that allows user namespaces", () => {
    expect(find("rootless", oneId, { userNamespaces: false })?.detail).toBe(
      "this kernel lets no ordinary user make user namespaces",
    );
  });

  test("is told what stops it even when it says nothing of itself", () => {
    const mute = podman({ state: { kind: "failed", found: "cannot set up namespace" }, info: undefined });
    expect(find("rootless", mute, { subordinateUsers: null })?.status).toBe("problem");
    expect(find("rootless", mute)).toBeUndefined();
  });

  test("that has its ids is believed, wherever they came from", () => {
    const machine = machineWith([], { programs: new Set() });
    const facts = { subordinateUsers: null, subordinateGroups: null, userNamespaces: false };
    expect(find("rootless", podman(), facts, machine)?.status).toBe("ok");
  });

  test("of another machine is not judged by this one", () => {
    const remote = podman({ here: false, info: podmanInfo({ userIds: undefined, elsewhere: true }) });
    expect(find("rootless", remote, { subordinateUsers: null, userNamespaces: false })?.status).toBe("ok");
  });
});

test("root's Podman and docker need no subordinate ids", () => {
  const none = { subordinateUsers: null, subordinateGroups: null, userNamespaces: false };
  expect(find("rootless", podman({ info: podmanInfo({ rootless: false, userIds: undefined }) }), none)?.detail).toBe(
    "no, containers run as root",
  );
  expect(find("rootless", docker({ info: dockerInfo({ rootless: true }) }), none)?.detail).toBe("yes");
});

describe("cgroups", () => {
  const first = (ociRuntime: string, rootless: boolean) =>
    podman({ info: podmanInfo({ cgroupVersion: "1", ociRuntime, rootless, userIds: rootless ? 65537 : undefined }) });

  test("of both versions stop crun, and runc is the way out", () => {
    expect(find("cgroups", first("crun", false), { hybridControllers: ["hugetlb"] })).toEqual({
      status: "problem",
      detail:
        "version 1 beside version 2, runtime crun: crun starts no container where version 2 has controllers of its own (hugetlb)",
      remedy:
        'Write runtime = "runc" under [engine] in /etc/containers/containers.conf, or boot with systemd.unified_cgroup_hierarchy=1.\n' +
        "  sudo apt-get install runc",
    });
    expect(
      find("cgroups", first("crun", true), { hybridControllers: ["hugetlb"] }, machineWith(["runc"]))?.remedy,
    ).toBe(
      'Write runtime = "runc" under [engine] in ~/.config/containers/containers.conf, or boot with systemd.unified_cgroup_hierarchy=1.',
    );
  });

  test("of both versions are nothing to runc, to crun without controllers, and to an engine elsewhere", () => {
    expect(find("cgroups", first("runc", false), { hybridControllers: ["hugetlb"] })?.status).toBe("ok");
    expect(find("cgroups", first("crun", false))?.status).toBe("ok");
    expect(find("cgroups", { ...first("crun", false), here: false }, { hybridControllers: ["hugetlb"] })?.status).toBe(
      "ok",
    );
  });

  test("of version 1 hold no rootless container to its limits", () => {
    expect(find("cgroups", first("runc", true))?.status).toBe("warning");
  });
});

test("SELinux is mentioned where it is on, with what it means for builds on Podman", () => {
  expect(find("selinux", podman())).toBeUndefined();
  expect(find("selinux", podman({ info: podmanInfo({ selinux: true }) }))?.detail).toBe(
    "on; builds that bring Features run without labels",
  );
  expect(find("selinux", docker({ info: dockerInfo({ selinux: true }) }))?.detail).toBe("on");
});
