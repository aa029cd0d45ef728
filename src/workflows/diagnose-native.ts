import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { readFile, statfs } from "node:fs/promises";
import { join } from "node:path";
import { Interrupted, messageOf, UserError } from "../errors.ts";
import { selfCommand } from "../host/self-command.ts";
import type { KernelFacts, NativeFacts, NativeTrial, StoreFacts } from "../runtime/diagnosis/native-facts.ts";
import { testProgram } from "../runtime/diagnosis/test-program.ts";
import { judgeSandboxMeans, type SandboxFacts } from "../runtime/judge-sandbox-means.ts";
import { OverlayRefused, SandboxRefused } from "../runtime/sandbox-failure.ts";
import type { SandboxMeans } from "../runtime/sandbox-means.ts";
import { readUnshare, type UnshareProgram } from "../runtime/unshare-program.ts";
import { dataDirectory } from "../store/directories.ts";
import type { Ask } from "./diagnose-ask.ts";
import { inspectDisk, nearestExisting } from "./diagnose-directories.ts";
import { inspectSandboxFacts } from "./find-sandbox-means.ts";
import { withNativeSession } from "./native-session.ts";
import type { Tools } from "./tools.ts";

const TRIAL_SECONDS = 20;

/** What this machine has of what cooper's own engine takes; `attempt` also runs a program in a sandbox, for which the store is made. */
export async function inspectNative(
  { tools, ask }: { tools: Tools; ask: Ask },
  attempt: () => Promise<boolean>,
): Promise<NativeFacts> {
  const sandbox = inspectSandboxFacts(tools.environment);
  const [unshare, kernel, store] = await Promise.all([
    inspectUnshare(sandbox, ask),
    inspectKernel(),
    inspectStore(tools),
  ]);
  const trial: NativeTrial = (await attempt()) ? await trySandbox(sandbox, tools) : { kind: "not tried" };
  return { sandbox, unshare, kernel, store, program: selfCommand().file, trial };
}

async function inspectUnshare({ unshare }: SandboxFacts, ask: Ask): Promise<UnshareProgram | undefined> {
  if (unshare === undefined) return undefined;
  const [help, version] = await Promise.all([ask.program(unshare, ["--help"]), ask.program(unshare, ["--version"])]);
  if (help.kind !== "exited") return undefined;
  // Busybox tells its options on stderr.
  return readUnshare(help.stdout + help.stderr, version.kind === "exited" ? version.stdout : "");
}

async function inspectKernel(): Promise<KernelFacts> {
  const [most, unprivileged, apparmor] = await Promise.all([
    readSetting("user/max_user_namespaces"),
    readSetting("kernel/unprivileged_userns_clone"),
    readSetting("kernel/apparmor_restrict_unprivileged_userns"),
  ]);
  return {
    mostNamespaces: most,
    unprivileged: unprivileged === undefined ? undefined : unprivileged !== 0,
    apparmorRestricts: apparmor === undefined ? undefined : apparmor !== 0,
    fuseDevice: existsSync("/dev/fuse"),
  };
}

async function readSetting(name: string): Promise<number | undefined> {
  const text = await readFile(join("/proc/sys", name), "utf8").catch(() => "");
  return text.trim() === "" ? undefined : Number(text);
}

/** statfs(2)'s numbers of what stores are likely to lie on. */
const FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0xef53, "ext4"],
  [0x58465342, "xfs"],
  [0x9123683e, "btrfs"],
  [0x01021994, "tmpfs"],
  [0x794c7630, "overlay"],
  [0x6969, "nfs"],
  [0x2fc12fc1, "zfs"],
  [0x65735546, "fuse"],
  [0xf2f52010, "f2fs"],
  [0x01021997, "9p"],
  [0xca451a4e, "bcachefs"],
]);

async function inspectStore(tools: Tools): Promise<StoreFacts> {
  const path = join(dataDirectory(tools), "store");
  const { type } = await statfs(await nearestExisting(path));
  return { disk: await inspectDisk(path), fileSystem: FILE_SYSTEMS.get(type) };
}

/** By the kernel's own overlay, and where that is refused, by fuse-overlayfs if there is one. */
async function trySandbox(facts: SandboxFacts, tools: Tools): Promise<NativeTrial> {
  const judged = judgeSandboxMeans(facts);
  if (judged.kind === "lacking") return { kind: "not tried" };
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const program = testProgram(architecture);
  if (program === undefined) return { kind: "unsupported", architecture };
  const { means } = judged;
  const byKernel = await runProgram(program, { ...means, fuseOverlayfs: null }, tools);
  const isRefused = byKernel.kind === "failed" && byKernel.at === "overlay";
  return isRefused && means.fuseOverlayfs !== null ? runProgram(program, means, tools) : byKernel;
}

/** As a user of the image that is not root: all that steps need is tried. */
async function runProgram(program: Uint8Array, means: SandboxMeans, tools: Tools): Promise<NativeTrial> {
  try {
    const { exitCode } = await withNativeSession(
      tools,
      async ({ newFolder, sandbox }) => {
        const layer = newFolder();
        mkdirSync(layer, { recursive: true });
        writeFileSync(join(layer, "program"), program);
        chmodSync(layer, 0o755);
        chmodSync(join(layer, "program"), 0o755);
        const nothing = { env: {}, binds: [], kept: [], secrets: [] };
        const user = { uid: 1, gid: 1, groups: [1] };
        const settings = { cwd: "/", user, network: "none", stdio: "output" } as const;
        return sandbox.run({
          folder: newFolder(),
          request: { ...nothing, ...settings, layers: [layer], argv: ["/program"] },
          timeoutSeconds: TRIAL_SECONDS,
        });
      },
      means,
    );
    if (exitCode === 0)
      return { kind: "succeeded", overlay: means.fuseOverlayfs === null ? "kernel" : "fuse-overlayfs" };
    return { kind: "failed", at: "elsewhere", found: `The test program ended with ${exitCode}.` };
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    const hint = error instanceof UserError ? error.hint : undefined;
    return {
      kind: "failed",
      at: placeOf(error),
      found: messageOf(error),
      ...(hint === undefined ? {} : { hint: withoutPointer(hint) }),
    };
  }
}

function placeOf(error: unknown) {
  if (error instanceof OverlayRefused) return "overlay";
  return error instanceof SandboxRefused ? "namespaces" : "elsewhere";
}

/** Who reads it has asked already. */
function withoutPointer(hint: string): string {
  return hint.replace(/ ?cooper doctor --backend native says what this machine lacks\./, "");
}
