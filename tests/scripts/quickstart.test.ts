import { afterAll, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// docker, podman, package managers and cooper are fakes that write down how they are called: what matters is which the script chooses.
// That it works on real ones is tried by hand and by CI.
const ROOT = mkdtempSync(join(tmpdir(), "cooper-quickstart-"));
afterAll(() => rmSync(ROOT, { recursive: true, force: true }));
const SCRIPT = join(import.meta.dir, "..", "..", "scripts", "quickstart");
const TOOLS = [
  "bash",
  "sh",
  "env",
  "mktemp",
  "rm",
  "grep",
  "tail",
  "sed",
  "cat",
  "node",
  "timeout",
  "dirname",
  "mkdir",
  "true",
];

const REPORT = `echo '{"outcome":"success","imageName":["localhost/cooper/hello:1"]}'`;
const COOPER = `case "$*" in
  doctor*--json) echo '{"checks":[{"id":"native-run","status":"ok"}],"ok":true}' ;;
  build*) echo "backend=$COOPER_BACKEND docker=$COOPER_DOCKER_PATH" >>"$LOG"; ${REPORT} ;;
  "image run localhost"*) echo "Good day" ;;
esac`;
const NO_SANDBOX = `case "$*" in
  doctor*--json) echo '{"checks":[{"id":"native-ids","status":"problem"},{"id":"credentials","status":"problem"}]}' ;;
  doctor*) echo "problem Ids"; exit 1 ;;
esac`;

interface Machine {
  readonly programs: Readonly<Record<string, string>>;
  readonly cooper?: string;
}

let count = 0;

/** Runs the script in a checkout of its own on a machine of these programs; gives what it printed and how the fakes were called. */
function quickstart({ programs, cooper = COOPER }: Machine) {
  count += 1;
  const folder = join(ROOT, String(count));
  const [bin, checkout, log] = [join(folder, "bin"), join(folder, "checkout"), join(folder, "calls")];
  for (const path of [bin, join(checkout, "scripts"), join(checkout, "dist")]) mkdirSync(path, { recursive: true });
  const place = (path: string, body: string) => {
    writeFileSync(path, `#!/bin/sh\necho "\${0##*/} $*" >>"$LOG"\n${body}\n`);
    chmodSync(path, 0o755);
  };
  for (const tool of TOOLS) symlinkSync(Bun.which(tool) ?? "", join(bin, tool));
  for (const [name, body] of Object.entries({ uname: "echo Linux", id: "echo 1000", ...programs })) {
    place(join(bin, name), body);
  }
  place(join(checkout, "dist", "cooper"), cooper);
  for (const name of ["install", "build"]) place(join(checkout, "scripts", name), "");
  copyFileSync(SCRIPT, join(checkout, "scripts", "quickstart"));
  writeFileSync(log, "");
  const env = { PATH: bin, HOME: folder, LOG: log, TMPDIR: folder };
  const { exitCode, stdout, stderr } = Bun.spawnSync(["bash", join(checkout, "scripts", "quickstart")], { env });
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString(), calls: readFileSync(log, "utf8") };
}

const OWN = { unshare: "", newuidmap: "", newgidmap: "" };
const silent = "echo 'Cannot connect' >&2; exit 1";

test("docker that answers is what is used, and cooper's own engine is not asked about", () => {
  const { exitCode, calls, stdout } = quickstart({ programs: { ...OWN, docker: "", podman: "" } });
  expect(exitCode).toBe(0);
  expect(calls).toContain("backend= docker=docker");
  expect(calls).toContain("docker run --rm localhost/cooper/hello:1 sh -c hello && color");
  expect(calls).not.toContain("podman");
  expect(calls).not.toContain("cooper doctor");
  expect(stdout).toContain("✓ Done.");
});

test("podman is used where docker does not answer", () => {
  const { exitCode, calls } = quickstart({ programs: { ...OWN, docker: silent, podman: "" } });
  expect([exitCode, calls]).toEqual([0, expect.stringContaining("backend= docker=podman")]);
});

test("without either, cooper's own engine builds, and cooper runs the result", () => {
  const { exitCode, calls, stdout } = quickstart({ programs: OWN });
  expect(exitCode).toBe(0);
  expect(stdout).toContain("docker: not installed\n  podman: not installed\n  None does: cooper's own engine");
  expect(calls).toContain("cooper image inspect store:debian:bookworm-slim");
  expect(calls).toContain("backend=native docker=\n");
  expect(calls).toContain("cooper image run localhost/cooper/hello:1 sh -c hello && color");
  expect(stdout).toContain("Good day");
});

test("engines that are there and do not answer are told with their own words, and done without", () => {
  const { exitCode, stdout, calls } = quickstart({ programs: { ...OWN, docker: silent, podman: silent } });
  expect([exitCode, calls]).toEqual([0, expect.stringContaining("backend=native")]);
  expect(stdout).toContain("docker: Cannot connect\n  podman: Cannot connect");
});

test.each([
  ["apt-get", "sudo apt-get install -y -q uidmap"],
  ["apk", "sudo apk add -q shadow-uidmap"],
  ["dnf", "sudo dnf install -y -q shadow-utils"],
])("an ordinary user without newuidmap gets the line to run with %s", (manager, line) => {
  const { exitCode, stderr, calls } = quickstart({ programs: { unshare: "", [manager]: "" } });
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining(`  ${line}\n`)]);
  expect(calls).not.toContain("cooper build");
});

test("root needs unshare alone, and installs it where it is absent", () => {
  const root = { id: "echo 0" };
  expect(quickstart({ programs: { ...root, unshare: "" } }).exitCode).toBe(0);
  const { exitCode, calls } = quickstart({ programs: { ...root, "apt-get": "" } });
  expect([exitCode, calls]).toEqual([0, expect.stringContaining("apt-get install -y -q util-linux")]);
});

test("a machine where cooper's own engine does not work says why, and builds nothing", () => {
  const { exitCode, stderr, calls } = quickstart({ programs: OWN, cooper: NO_SANDBOX });
  expect(exitCode).toBe(1);
  expect(stderr).toContain("problem Ids");
  expect(stderr).toContain("or start docker or podman");
  expect(calls).not.toContain("cooper build");
});

test("where no registry has the base image, it is made of Debian's packages and goes into cooper's store", () => {
  const cooper = COOPER.replace("case", 'case "$*" in "image inspect"*|"image pull"*) exit 1;; esac\ncase');
  const apt = { "apt-get": "echo mirror", mmdebstrap: "echo a tar" };
  const { exitCode, calls, stdout } = quickstart({ programs: { ...OWN, ...apt }, cooper });
  expect([exitCode, stdout]).toEqual([0, expect.stringContaining("Made it")]);
  expect(calls).toMatch(
    /cooper image append scratch \S+base\.tar --cmd \["bash"\] .*--output store:debian:bookworm-slim/,
  );
});

test("elsewhere than on Linux podman is still what is installed", () => {
  const { exitCode, stderr } = quickstart({ programs: { uname: "echo Darwin", brew: "" } });
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining("brew install podman")]);
});
