import { expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TarMember, tarOf } from "../fakes/registry-tar.ts";
import { checkRoundTrips } from "./layer-round-trip.ts";
import { describeAsRoot, withFolder } from "./layer-scene.ts";
import { runInUserNamespace } from "./user-namespace.ts";

describeAsRoot("as root", () => {
  test("whatever a layer holds is there again when it was unpacked, packed and unpacked", () =>
    withFolder((folder) => checkRoundTrips(folder, { first: 1, count: 40 })));
});

const program = join(import.meta.dir, "layer-round-trip.ts");
const probe = await withFolder((folder) => runInUserNamespace([process.execPath, "--version"], folder));
const reason =
  probe.kind === "none" ? probe.reason : probe.exitCode === 0 ? undefined : "bun cannot be read by another user";

const inNamespace = (name: string, body: () => Promise<void>) =>
  reason === undefined ? test(name, body) : test.skip(`${name} (skipped: ${reason})`, body);

inNamespace("it is there as well as the root of a user namespace, where nobody is root outside", () =>
  withFolder(async (folder) => {
    const run = await runInUserNamespace([process.execPath, program, folder, "100", "20"], folder);
    expect(run).toEqual({ kind: "ran", exitCode: 0, output: "user 0: 20 layers\n" });
  }),
);

/** Unpacks a layer in a user namespace; gives what it said and, by name, what is there. */
function unpackInNamespace(members: readonly TarMember[]) {
  return withFolder(async (folder) => {
    const [tar, place] = [join(folder, "layer.tar"), join(folder, "layer")];
    writeFileSync(tar, tarOf(members));
    chmodSync(folder, 0o755);
    const script = `
      import { listTree, unpackInto } from ${JSON.stringify(join(import.meta.dir, "layer-scene.ts"))};
      require("node:fs").mkdirSync(${JSON.stringify(place)});
      const bytes = require("node:fs").readFileSync(${JSON.stringify(tar)});
      const failure = await unpackInto(${JSON.stringify(place)}, bytes).then(() => null, ({ message }) => message);
      console.log(JSON.stringify({ failure, paths: Object.keys(listTree(${JSON.stringify(place)})) }));
    `;
    const run = await runInUserNamespace([process.execPath, "-e", script], folder);
    return run.kind === "ran" ? JSON.parse(run.output) : run;
  });
}

inNamespace(
  "devices that only root can make are passed over in /dev, with their other names, and refused elsewhere",
  async () => {
    const device: TarMember = { path: "dev/null", type: "3", device: [1, 3], mode: 0o666 };
    const link: TarMember = { path: "dev/other", type: "1", target: "dev/null" };
    expect(
      await unpackInNamespace([device, link, { path: "dev/x" }, { path: "gone", type: "3", device: [0, 0] }]),
    ).toEqual({
      failure: null,
      paths: [".", "dev", "dev/x", "gone"],
    });
    expect(await unpackInNamespace([{ ...device, path: "srv/null" }])).toMatchObject({
      failure: 'The layer\'s entry "srv/null" cannot be unpacked: it is a device, which only root can make.',
    });
  },
);

inNamespace("an owner that the namespace does not have is refused by name", async () => {
  expect(await unpackInNamespace([{ path: "x", uid: 70_000 }])).toMatchObject({
    failure: expect.stringContaining('entry "x" cannot be unpacked: its uid or gid is none of the user namespace\'s'),
  });
});
