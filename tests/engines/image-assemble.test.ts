import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { runEngine } from "./builders.ts";
import { BASE_IMAGE, type CooperOptions, describeEngine, runCooper } from "./engines.ts";
import { inspectImage, openScene } from "./workspace.ts";

const scene = openScene();
const toolsRequired = (process.env["COOPER_REQUIRE_ENGINES"] ?? "") !== "";

/** A small tree with all kinds of entries. */
function makeTree(): string {
  const folder = join(scene.directory("tree"), "tree");
  mkdirSync(join(folder, "opt", "cooper", "empty"), { recursive: true });
  writeFileSync(join(folder, "opt", "cooper", "hello"), `hello from ${scene.id}\n`);
  linkSync(join(folder, "opt", "cooper", "hello"), join(folder, "opt", "cooper", "again"));
  symlinkSync("hello", join(folder, "opt", "cooper", "grüße"));
  writeFileSync(join(folder, "opt", "cooper", "n".repeat(180)), "long\n");
  for (const path of ["", "opt", "opt/cooper", "opt/cooper/empty"]) chmodSync(join(folder, path), 0o755);
  chmodSync(join(folder, "opt", "cooper", "hello"), 0o4755);
  return folder;
}

/** What a layout has under a manifest's digest. */
function readImageOf(layout: string, digest: string) {
  const read = (name: string) => JSON.parse(readFileSync(join(layout, "blobs", "sha256", hexOf(name)), "utf8"));
  const configDigest: string = read(digest).config.digest;
  return { configDigest, config: read(configDigest) };
}

function hexOf(digest: string): string {
  return digest.replace(/^sha256:/, "");
}

/** Runs `image assemble` in a folder of its own and gives its result. */
async function assemble(argv: readonly string[], options: CooperOptions & { readonly cwd: string }) {
  const { exitCode, stdout, stderr } = await runCooper(["image", "assemble", ...argv], options);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  return JSON.parse(stdout);
}

for (const name of ["docker", "docker-containerd", "podman"] as const) {
  describeEngine(name, (engine) => {
    const made: string[] = [];
    afterAll(async () => {
      for (const image of made) await runEngine(engine, ["rmi", "--force", image]);
    });

    test("an image assembled on a base of the engine is loaded and runs as it was told to", async () => {
      const cwd = scene.directory("work");
      const image = `localhost/cooper-test-${scene.id}/assembled:1`;
      made.push(image);
      const argv = [makeTree(), "--base", `engine:${BASE_IMAGE}`, "--load", "--tag", image, "--env", "WHO=cooper"];
      await assemble([...argv, "--workdir", "/opt/cooper", "--entrypoint", '["cat","grüße","again"]'], { cwd, engine });
      const { WorkingDir, Env } = await inspectImage(engine, image);
      expect(WorkingDir).toBe("/opt/cooper");
      expect(Env).toContain("WHO=cooper");
      expect(await runEngine(engine, ["run", "--rm", image])).toBe(`hello from ${scene.id}\n`.repeat(2));
      const script = "stat -c '%a %u %h %Y' hello; ls -d empty; ls | wc -l";
      const words = ["run", "--rm", "--entrypoint", "sh", image, "-c", script];
      expect(await runEngine(engine, words)).toBe("4755 0 2 0\nempty\n5\n");
    });

    test.each(["gzip", "zstd", "none"])(
      "an image of %s layers is loaded, and saved again, as the same",
      async (kind) => {
        const cwd = scene.directory("work");
        const image = `localhost/cooper-test-${scene.id}/${kind}:1`;
        made.push(image);
        const argv = [makeTree(), "--output", "oci:ours", "--load", "--tag", image, "--compression", kind];
        const { digest } = await assemble([...argv, "--cmd", "/x"], { cwd, engine });
        const ours = readImageOf(join(cwd, "ours"), digest);
        const { Id } = JSON.parse(await runEngine(engine, ["image", "inspect", image]))[0];
        // An engine's id is the config's digest, or with containerd's store the manifest's.
        expect([hexOf(ours.configDigest), hexOf(digest)]).toContain(hexOf(Id));
        const copied = await runCooper(["image", "copy", `engine:${image}`, "oci:saved"], { cwd, engine });
        const saved = readImageOf(join(cwd, "saved"), JSON.parse(copied.stdout).digest);
        expect(saved.config).toEqual(ours.config);
        expect((await runCooper(["image", "validate", "oci:saved"], { cwd })).exitCode).toBe(0);
      },
    );

    test("an image that the engine does not have cannot be a base", async () => {
      const cwd = scene.directory("work");
      const argv = ["image", "assemble", makeTree(), "--base", `engine:localhost/none-${scene.id}`, "-o", "x.tar"];
      const { exitCode, stdout } = await runCooper(argv, { cwd, engine });
      expect(exitCode).toBe(1);
      expect(JSON.parse(stdout).message).toEndWith(`has no image called localhost/none-${scene.id}.`);
    });

    test.each(["image.tar", "docker-archive:image.tar"])(
      "%s is taken by load under its name and config",
      async (output) => {
        const cwd = scene.directory("work");
        const image = `localhost/cooper-test-${scene.id}/loaded:${output.length}`;
        made.push(image);
        await assemble([makeTree(), "--output", output, "--tag", image, "--cmd", "/x", "--label", "a=b"], { cwd });
        await runEngine(engine, ["load", "--input", join(cwd, "image.tar")]);
        const { Cmd, Labels } = await inspectImage(engine, image);
        expect(Cmd).toEqual(["/x"]);
        expect(Labels).toEqual({ a: "b" });
      },
    );
  });
}

/** A group of tests that needs a program. */
function describeTool(file: string, body: () => void): void {
  if (Bun.which(file) !== null || toolsRequired) describe(file, body);
  else describe.skip(`${file} (skipped: it is not on PATH)`, body);
}

function run(argv: readonly string[], cwd: string): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...argv], { cwd });
  if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
  return stdout.toString();
}

describeTool("skopeo", () => {
  test.each(["image.tar", "oci-archive:image.tar", "oci:image.tar"])(
    "%s keeps its digest through copies",
    async (output) => {
      const cwd = scene.directory("work");
      const { digest } = await assemble([makeTree(), "--output", output], { cwd });
      const source = output.startsWith("oci:") ? "oci:image.tar" : "oci-archive:image.tar";
      run(["skopeo", "--insecure-policy", "copy", source, "oci:layout:a"], cwd);
      run(["skopeo", "--insecure-policy", "copy", "oci:layout:a", "dir:folder"], cwd);
      run(["skopeo", "--insecure-policy", "copy", "dir:folder", "oci-archive:again.tar:a"], cwd);
      expect(run(["skopeo", "inspect", "--format", "{{.Digest}}", "oci-archive:again.tar:a"], cwd).trim()).toBe(digest);
    },
  );

  test("an archive of skopeo's is a base, and gives the digest that our own gives", async () => {
    const cwd = scene.directory("work");
    await assemble([makeTree(), "--output", "oci:base:a"], { cwd });
    run(["skopeo", "--insecure-policy", "copy", "oci:base:a", "oci-archive:base.tar:a"], cwd);
    const folder = makeTree();
    const ours = await assemble([folder, "--base", "oci:base:a", "--output", "ours.tar"], { cwd });
    const theirs = await assemble([folder, "--base", "oci-archive:base.tar", "--output", "theirs.tar"], { cwd });
    expect(theirs.digest).toBe(ours.digest);
  });

  test("what skopeo makes a docker archive of is read, with the same layers inside", async () => {
    const cwd = scene.directory("work");
    await assemble([makeTree(), "--output", "image.tar", "--compression", "none"], { cwd });
    run(["skopeo", "--insecure-policy", "copy", "oci-archive:image.tar", "docker-archive:theirs.tar:acme/app:1"], cwd);
    const folder = makeTree();
    const onOurs = await assemble([folder, "--base", "image.tar", "--output", "a.tar"], { cwd });
    const onTheirs = await assemble([folder, "--base", "docker-archive:theirs.tar:acme/app:1", "--output", "b.tar"], {
      cwd,
    });
    expect(onTheirs.layers.map((layer: { digest: string }) => layer.digest)).toEqual(
      onOurs.layers.map((layer: { digest: string }) => layer.digest),
    );
  });
});

describeTool("umoci", () => {
  test("an unpacked layout is the tree that was assembled", async () => {
    const cwd = scene.directory("work");
    const tree = makeTree();
    await assemble([tree, "--output", "oci:layout:v1", "--compression-level", "1"], { cwd });
    run(["umoci", "unpack", "--rootless", "--image", "layout:v1", "bundle"], cwd);
    const root = join(cwd, "bundle", "rootfs", "opt", "cooper");
    expect(run(["diff", "-r", tree, join(cwd, "bundle", "rootfs")], cwd)).toBe("");
    expect(readlinkSync(join(root, "grüße"))).toBe("hello");
    expect(lstatSync(join(root, "hello")).ino).toBe(lstatSync(join(root, "again")).ino);
    expect((lstatSync(join(root, "hello")).mode & 0o7777).toString(8)).toBe("4755");
    expect(lstatSync(join(root, "hello")).mtimeMs).toBe(0);
    expect(readFileSync(join(root, "n".repeat(180)), "utf8")).toBe("long\n");
  });

  test("a layout that it gave another name still has the image with its digest", async () => {
    const cwd = scene.directory("work");
    const { digest } = await assemble([makeTree(), "--output", "oci:layout:v1"], { cwd });
    run(["umoci", "tag", "--image", "layout:v1", "v2"], cwd);
    run(["umoci", "rm", "--image", "layout:v1"], cwd);
    run(["umoci", "gc", "--layout", "layout"], cwd);
    const { stdout } = await runCooper(["image", "inspect", "oci:layout:v2"], { cwd });
    expect(JSON.parse(stdout).digest).toBe(digest);
    expect((await runCooper(["image", "validate", "oci:layout"], { cwd })).exitCode).toBe(0);
  });
});

describeTool("buildah", () => {
  const images: string[] = [];
  const containers: string[] = [];
  afterAll(() => {
    for (const container of containers) Bun.spawnSync(["buildah", "rm", container]);
    for (const image of images) Bun.spawnSync(["buildah", "rmi", "--force", image]);
  });

  test.each(["gzip", "zstd", "none"])("an image of %s layers comes out as it went in", async (kind) => {
    const cwd = scene.directory("work");
    const tree = makeTree();
    // A label of its own: images with one id are one in buildah's store, which others use too.
    const settings = ["--compression", kind, "--cmd", "/x", "--label", `scene=${scene.id}-${kind}`];
    const { digest } = await assemble([tree, "--output", "oci:ours:1", ...settings], { cwd });
    const image = run(["buildah", "pull", "--quiet", "oci:ours:1"], cwd).trim();
    images.push(image);
    const ours = readImageOf(join(cwd, "ours"), digest);
    expect(image).toBe(hexOf(ours.configDigest));
    run(["buildah", "push", "--quiet", image, "oci:theirs:1"], cwd);
    const { stdout } = await runCooper(["image", "inspect", "oci:theirs:1"], { cwd });
    expect(readImageOf(join(cwd, "theirs"), JSON.parse(stdout).digest)).toEqual(ours);
    expect((await runCooper(["image", "validate", "oci:theirs"], { cwd })).exitCode).toBe(0);
    const container = `cooper-test-${scene.id}-${kind}`;
    run(["buildah", "from", "--quiet", "--name", container, image], cwd);
    containers.push(container);
    const mounted = run(["buildah", "mount", container], cwd).trim();
    expect(run(["diff", "-r", "--no-dereference", tree, mounted], cwd)).toBe("");
  });
});
