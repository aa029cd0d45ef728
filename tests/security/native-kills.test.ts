import { expect, test } from "bun:test";
import { dirname, join } from "node:path";
import { descendantsOf, type TreeProcess } from "../../src/host/process-tree.ts";
import { BASE_IMAGE } from "../engines/engines.ts";
import { describeNative } from "../engines/native.ts";
import { leftoverWork, mountsBelow } from "../engines/native-image.ts";
import { hasEnded, processesWith, until } from "../engines/processes.ts";
import { devcontainerJson, imageOf, localFeature } from "../engines/workspace.ts";

/** For each identity. */
const KILLS = 25;
/** After so many kills a build runs to its end. */
const BETWEEN = 5;

/** Numbers from 0 to 1, the same in every run. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

describeNative((native) => {
  const nap = `sleep 3000.${Number.parseInt(native.id.slice(0, 8), 16)}`;
  const own = dirname(native.home);
  const left = (family: readonly TreeProcess[]) => [
    ...processesWith(own),
    ...processesWith(nap),
    ...family.filter((member) => !hasEnded(member)),
    ...mountsBelow(own),
  ];

  /** What a build of a new store would have to unpack first. */
  function removeUnpackedLayers(): void {
    const asOwner = process.getuid?.() === 0 ? [] : ["unshare", "--user", "--map-auto", "--map-root-user"];
    const { exitCode } = Bun.spawnSync([...asOwner, "rm", "-rf", join(native.store, "layers")]);
    expect(exitCode).toBe(0);
  }

  test(`after each of ${KILLS} kills nothing runs or is mounted, and the next build makes the right image`, async () => {
    const random = randomNumbers(native.name === "root" ? 1 : 2);
    const folder = native.workspace({
      ...devcontainerJson({
        image: BASE_IMAGE,
        features: { "./many": {}, "./closed": {}, "./counts": {} },
        overrideFeatureInstallOrder: ["./many", "./closed", "./counts"],
      }),
      ...localFeature("many", `setsid ${nap} &\nmkdir /many && cd /many && seq 300 | xargs touch && rm -rf /etc/skel`),
      ...localFeature("closed", "mkdir -p /closed/in && chown -R 12:34 /closed && chmod 000 /closed/in && sleep 0.1"),
      ...localFeature(
        "counts",
        "count=$(find / -xdev -path /tmp -prune -o -print | wc -l) && echo $count >/count && ls /many | wc -l >>/count",
      ),
    });
    const cwd = native.directory("output");
    const archive = join(cwd, "image.tar");
    const build = ["build", "--workspace-folder", folder, "--backend", "native", "--no-cache"];
    const timed = async (args: readonly string[]) => {
      const began = performance.now();
      imageOf(await native.build(folder, { cwd, args: ["--no-cache", ...args] }));
      return performance.now() - began;
    };
    const output = ["--output", "type=oci,dest=image.tar"];
    // Of three kinds: steps alone, with the base's layers to unpack first, and with an archive to write afterwards.
    const unpacking = await timed([]);
    const stepping = await timed([]);
    const writing = await timed(output);
    const [count] = native.left("count");
    expect(count).toMatch(/^\d{4,}\n300\n$/);

    let unfinished = 0;
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const kind = kill % BETWEEN;
      if (kind === 2) removeUnpackedLayers();
      const duration = kind === 2 ? unpacking : kind === 3 ? writing : stepping;
      const { command, ...rest } = native.command(kind === 3 ? [...build, ...output] : build, { cwd });
      const child = Bun.spawn(command, { ...rest, stdin: "ignore", stdout: "ignore", stderr: "ignore" });
      await Bun.sleep(random() * duration);
      const family = descendantsOf(child.pid);
      child.kill("SIGKILL");
      await child.exited;
      if (child.signalCode === "SIGKILL") unfinished += 1;
      await until(
        () => left(family).length === 0,
        () => `kill ${kill}: ${JSON.stringify(left(family))}`,
      );
      if (kind !== 0) continue;
      // With what the killed runs finished, their steps included.
      const image = imageOf(await native.build(folder, { args: ["--image-name", `localhost/killed:${kill}`] }));
      expect(leftoverWork(native.store)).toEqual([]);
      const isLast = kill === KILLS;
      const places = [`store:${image}`, ...(isLast ? [archive] : [])];
      for (const place of places) {
        const { exitCode, stdout } = await native.run(["image", "validate", place]);
        expect({ place, exitCode, faults: JSON.parse(stdout).faults }).toEqual({ place, exitCode: 0, faults: [] });
      }
    }
    // Kills that come too late tell nothing.
    expect(unfinished).toBeGreaterThan(KILLS / 2);
    imageOf(await native.build(folder, { args: ["--no-cache"] }));
    expect([...new Set(native.left("count"))]).toEqual([count ?? ""]);
  }, 300_000);
});
