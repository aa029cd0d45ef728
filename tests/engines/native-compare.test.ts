import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { availableEngines, BASE_IMAGE, runCooper, type TestEngine } from "./engines.ts";
import { EXAMPLES } from "./fixtures/parity-examples.ts";
import { imageTree } from "./image-tree.ts";
import { describeNative } from "./native.ts";
import { storedImage } from "./native-image.ts";
import { devcontainerJson, type Files, imageOf, localFeature, openScene } from "./workspace.ts";

const hello = join(import.meta.dir, "..", "..", "examples", "hello", ".devcontainer");

/** Files of every kind that a layer can hold, and changes to the base's. */
const MAKES_FILES = `mkdir -p /kinds/deep/er /kinds/sticky && cd /kinds
echo content >file && ln file hard && ln -s ../nowhere symlink && mkfifo pipe && : >empty
printf x >"name with blanks, ünïcode and	tab" && : >"$(printf 'a%.0s' $(seq 200))" && : >.hidden
chown 12:34 file && chmod 4711 file && chown -h 7:8 symlink && chmod 1777 sticky && chmod 000 deep/er
chown 65534:65534 deep && truncate -s 3M sparse && seq 20000 >numbers
cp /bin/true capable && perl -e '$p = "/kinds/capable"; $n = "security.capability"; $v = pack("VVVVV", 0x02000001, 1 << 13, 0, 0, 0);
syscall(${process.arch === "arm64" ? 5 : 188}, $p, $n, $v, 20, 0) == 0 or die "setxattr: $!"'
rm /etc/motd && rm -rf /etc/skel && mkdir -m 750 /etc/skel && touch /etc/skel/new && chmod 700 /media && chown 3:4 /srv
rm -rf /mnt && echo a file >/mnt && mkdir -p /usr/local/new && echo of the first >/usr/local/new/both`;
const CHANGES_FILES = `cd /kinds && rm hard && mv numbers moved && mkdir /etc/motd && rm -rf /usr/local/new && mkdir /usr/local/new
echo of the second >/usr/local/new/again && chmod 644 file && rm -rf deep && mkdir deep && groupadd -g 4321 added`;

/** A workspace by its files. */
const CASES: Readonly<Record<string, Files>> = {
  "the example hello": Object.fromEntries(
    [
      "devcontainer.json",
      "hello/install.sh",
      "hello/devcontainer-feature.json",
      "color/install.sh",
      "color/devcontainer-feature.json",
    ].map((path) => [`.devcontainer/${path}`, { text: readFileSync(join(hello, path), "utf8"), mode: 0o644 }]),
  ),
  "Features with every property": withoutLabelledUsers("an image with Features that have every property"),
  "files of every kind": {
    ...devcontainerJson({
      image: BASE_IMAGE,
      features: { "./makes": {}, "./changes": {} },
      overrideFeatureInstallOrder: ["./makes", "./changes"],
    }),
    ...localFeature("makes", MAKES_FILES, {
      containerEnv: { MADE: "a 'quoted' $value", PATH: "/made:${PATH}" },
      entrypoint: "/made",
    }),
    ...localFeature("changes", CHANGES_FILES, { mounts: ["type=volume,source=v,target=/v"] }),
  },
};

function withoutLabelledUsers(name: string): Files {
  const example = EXAMPLES.find((one) => one.name === name);
  if (example === undefined) throw new Error(`no example is called ${name}`);
  return example.files(BASE_IMAGE);
}

/** What podman does otherwise than docker and cooper's own engine, and why that may be. */
const PODMANS_LABELS: readonly (readonly [label: string, why: string])[] = [
  ["io.buildah.version", "podman signs what it builds"],
  ["dev.cooper.plan", "the plan names the base by its digest, and podman made one of its own when it took the base in"],
];

/** Mount points that podman makes for its containers stay in its images, as empty files. */
const PODMANS_FILES: readonly string[] = ["etc/hostname", "etc/hosts", "etc/resolv.conf"];

/** An image, as far as two builders must agree on it. */
function describeImage(store: string, name: string) {
  const { config, layers } = storedImage(store, name);
  const { Env, Labels, User, WorkingDir, Entrypoint, Cmd } = config.config;
  return {
    config: { Env: Env ?? [], Labels: Labels ?? {}, User: User ?? "", WorkingDir: WorkingDir ?? "", Entrypoint, Cmd },
    tree: Object.fromEntries(imageTree(layers)),
  };
}

/** A configuration without what podman does otherwise: variables stand in an order of its own, each with the same value. */
function asPodmanHasIt({ Env, Labels, ...rest }: ReturnType<typeof describeImage>["config"]) {
  const labels = Object.entries(Labels).filter(([name]) => !PODMANS_LABELS.some(([label]) => label === name));
  return { ...rest, Env: Env.toSorted(), Labels: Object.fromEntries(labels) };
}

/** What is of one and not of the other, or not the same there. */
function differences(one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>) {
  const paths = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...paths]
    .filter((path) => one[path] !== other[path])
    .map((path) => ({ path, one: one[path], other: other[path] }));
}

const scene = openScene();
const built = new Map<string, Promise<ReturnType<typeof describeImage>>>();

function builtBy(engine: TestEngine, label: string): Promise<ReturnType<typeof describeImage>> {
  const key = `${engine.name} ${label}`;
  const image = built.get(key) ?? buildWith(engine, label);
  built.set(key, image);
  return image;
}

async function buildWith(engine: TestEngine, label: string) {
  const builder = { kind: engine.name === "podman" ? "podman" : "BuildKit", engine, flags: [] } as const;
  const folder = scene.workspace(CASES[label] ?? {});
  const name = `docker.io/cooper-test/${scene.id}:${engine.name}`;
  const args = ["--image-name", scene.imageName(engine, label.replaceAll(/\W+/g, "-").toLowerCase())];
  const image = imageOf(await scene.build(builder, folder, { args }));
  const layout = join(scene.directory("layout"), "layout");
  const copied = await runCooper(["image", "copy", `engine:${image}`, `oci:${layout}:${name}`], { engine });
  if (copied.exitCode !== 0) throw new Error(copied.stderr);
  return describeImage(layout, name);
}

describeNative((native) => {
  for (const engine of availableEngines().filter(({ name }) => name !== "docker-containerd")) {
    for (const [label, files] of Object.entries(CASES)) {
      const makeTest = engine.reason === undefined ? test : test.skip;
      makeTest(`makes the image that ${engine.name} makes of the same workspace: ${label}`, async () => {
        const folder = native.workspace(files, { name: `project-${scene.id}` });
        const ours = describeImage(native.store, imageOf(await native.build(folder)));
        const theirs = await builtBy(engine, label);
        const found = differences(ours.tree, theirs.tree);
        if (engine.name === "podman") {
          expect(asPodmanHasIt(ours.config)).toEqual(asPodmanHasIt(theirs.config));
          const isPodmans = (path: string) => PODMANS_FILES.includes(path) && ours.tree[path] === undefined;
          expect(found.filter(({ path }) => !isPodmans(path))).toEqual([]);
        } else {
          expect(ours.config).toEqual(theirs.config);
          expect(found).toEqual([]);
        }
        expect(Object.keys(ours.tree).length).toBeGreaterThan(1000);
      });
    }
  }

  test("files of every kind are in its image", async () => {
    const folder = native.workspace(CASES["files of every kind"] ?? {}, { name: `project-${scene.id}` });
    const { tree } = describeImage(native.store, imageOf(await native.build(folder)));
    expect(tree["kinds/capable"]).toContain("file 755 0:0 capability 0100000200200000000000000000000000000000 ");
    expect(tree["kinds/symlink"]).toBe("symlink 777 7:8 -> ../nowhere");
    expect(tree["kinds/pipe"]).toBe("pipe 644 0:0");
    expect(tree["etc/motd"]).toBe("folder 755 0:0");
    expect(Object.keys(tree).filter((path) => /^(etc\/skel|mnt|usr\/local\/new)\//.test(path))).toEqual([
      "etc/skel/new",
      "usr/local/new/again",
    ]);
  });
});
