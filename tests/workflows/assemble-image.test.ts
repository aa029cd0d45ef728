import { expect, test } from "bun:test";
import { existsSync, linkSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { chmod, utimes } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { sha256Of } from "../../src/oci/digest.ts";
import { readTar } from "../../src/oci/tar.ts";
import { assemble, contentOf, jsonOf, membersOf, withFolder } from "./assemble-scene.ts";

/** A tree whose modes are those written here, whatever the umask. */
async function makeTree(folder: string): Promise<void> {
  mkdirSync(join(folder, "tree", "bin"), { recursive: true });
  mkdirSync(join(folder, "tree", "empty"));
  writeFileSync(join(folder, "tree", "bin", "app"), "#!/bin/sh\necho hello\n");
  writeFileSync(join(folder, "tree", "größe"), "42\n");
  linkSync(join(folder, "tree", "größe"), join(folder, "tree", "zweite"));
  symlinkSync("bin/app", join(folder, "tree", "start"));
  for (const [path, mode] of [
    ["bin", 0o755],
    ["empty", 0o700],
    ["bin/app", 0o4755],
    ["größe", 0o640],
  ] as const) {
    await chmod(join(folder, "tree", path), mode);
  }
}

async function assembleTree(folder: string, argv: readonly string[] = []) {
  await makeTree(folder);
  const image = await assemble(folder, ["tree", "--output", "image.tar", "--platform", "linux/amd64", ...argv]);
  return { image, members: membersOf(join(folder, "image.tar")) };
}

function layerOf(members: ReturnType<typeof membersOf>, digest = "") {
  return [...readTar(gunzipSync(contentOf(members, `blobs/sha256/${digest.slice(7)}`)))];
}

test("the digests of a known tree are the ones they have always been", () =>
  withFolder(async (folder) => {
    const { image } = await assembleTree(folder);
    expect(image.layers.map(({ digest }) => digest)).toEqual([
      "sha256:035b4d3c47a2accd0c99c4bedd0187863fc7d83c74a3f4b8b081362dc821078a",
    ]);
    expect(image.digest).toBe("sha256:4dfc0f4f2383f7696312a57565425633f7fc567d34b4864628a01b0133321ab5");
  }));

test("with zstd too", () =>
  withFolder(async (folder) => {
    const { image, members } = await assembleTree(folder, ["--compression", "zstd"]);
    const [layer] = image.layers;
    expect(layer?.mediaType).toBe("application/vnd.oci.image.layer.v1.tar+zstd");
    expect(layer?.digest).toBe("sha256:1a9b59964399b44a12489bd6ca40909fb6568bf1109c2cf1ba215775f558a9af");
    const tar = zstdDecompressSync(contentOf(members, `blobs/sha256/${layer?.digest.slice(7)}`));
    expect([...readTar(tar)]).toHaveLength(6);
  }));

test("an archive is an OCI layout whose digests and sizes are right, and docker finds its way in it", () =>
  withFolder(async (folder) => {
    const { image, members } = await assembleTree(folder, ["--tag", "acme/app:1"]);
    const [entry] = jsonOf(members, "index.json").manifests;
    expect(entry.digest).toBe(image.digest);
    expect(jsonOf(members, "oci-layout")).toEqual({ imageLayoutVersion: "1.0.0" });
    const manifest = jsonOf(members, `blobs/sha256/${entry.digest.slice(7)}`);
    for (const { digest, size } of [entry, manifest.config, ...manifest.layers]) {
      const bytes = contentOf(members, `blobs/sha256/${digest.slice(7)}`);
      expect([sha256Of(bytes), bytes.length]).toEqual([digest, size]);
    }
    const config = jsonOf(members, `blobs/sha256/${manifest.config.digest.slice(7)}`);
    const layer = contentOf(members, `blobs/sha256/${manifest.layers[0].digest.slice(7)}`);
    expect(config.rootfs).toEqual({ type: "layers", diff_ids: [sha256Of(gunzipSync(layer))] });
    expect(config.history).toEqual([{ created: "1970-01-01T00:00:00Z", created_by: "cooper image assemble" }]);
    expect(jsonOf(members, "manifest.json")).toEqual([
      {
        Config: `blobs/sha256/${manifest.config.digest.slice(7)}`,
        RepoTags: ["docker.io/acme/app:1"],
        Layers: [`blobs/sha256/${manifest.layers[0].digest.slice(7)}`],
      },
    ]);
  }));

test("modes, links, empty folders and names beyond ASCII are in the layer", () =>
  withFolder(async (folder) => {
    const { image, members } = await assembleTree(folder);
    const layer = layerOf(members, image.layers[0]?.digest);
    expect(
      layer.map((entry) => [
        entry.kind,
        entry.path,
        "mode" in entry ? entry.mode : entry.kind === "symlink" || entry.kind === "hardlink" ? entry.target : "",
      ]),
    ).toEqual([
      ["directory", "bin/", 0o755],
      ["file", "bin/app", 0o4755],
      ["directory", "empty/", 0o700],
      ["file", "größe", 0o640],
      ["symlink", "start", "bin/app"],
      ["hardlink", "zweite", "größe"],
    ]);
  }));

test("what the options say is in the config, and nothing else", () =>
  withFolder(async (folder) => {
    const { members } = await assembleTree(folder, [
      ...["--env", "A=1", "--env", "B=x=y", "--env", "A=2", "--label", "z=1", "--label", "a=2"],
      ...["--entrypoint", '["/start","-v"]', "--cmd", "serve", "--workdir", "/srv", "--user", "7:8"],
      ...["--expose", "80", "--expose", "53/udp", "--annotation", "org.example=yes"],
    ]);
    const manifest = jsonOf(members, `blobs/sha256/${jsonOf(members, "index.json").manifests[0].digest.slice(7)}`);
    expect(manifest.annotations).toEqual({ "org.example": "yes" });
    expect(jsonOf(members, `blobs/sha256/${manifest.config.digest.slice(7)}`).config).toEqual({
      User: "7:8",
      ExposedPorts: { "53/udp": {}, "80/tcp": {} },
      Env: ["A=2", "B=x=y"],
      Entrypoint: ["/start", "-v"],
      Cmd: ["serve"],
      WorkingDir: "/srv",
      Labels: { a: "2", z: "1" },
    });
  }));

test("a prefix and an owner move the content and give it away", () =>
  withFolder(async (folder) => {
    const { image, members } = await assembleTree(folder, [
      "--prefix",
      "/opt/app/",
      "--chown",
      "1000:50",
      "--exclude",
      "bin",
    ]);
    expect(layerOf(members, image.layers[0]?.digest).map(({ path }) => path)).toEqual([
      "opt/",
      "opt/app/",
      "opt/app/empty/",
      "opt/app/größe",
      "opt/app/start",
      "opt/app/zweite",
    ]);
    const header = gunzipSync(contentOf(members, `blobs/sha256/${image.layers[0]?.digest.slice(7)}`)).subarray(0, 512);
    expect(header.subarray(108, 123).toString()).toBe("0001750\0" + "0000062");
  }));

test(".dockerignore leaves out, with exceptions, and --exclude has the last word", () =>
  withFolder(async (folder) => {
    await makeTree(folder);
    writeFileSync(join(folder, "tree", ".dockerignore"), "*\n!bin\n!größe\n");
    const image = await assemble(folder, ["tree", "--output", "image.tar", "--exclude", "größe"]);
    const layer = layerOf(membersOf(join(folder, "image.tar")), image.layers[0]?.digest);
    expect(layer.map(({ path }) => path)).toEqual(["bin/", "bin/app"]);
  }));

test("times are SOURCE_DATE_EPOCH, or no later than it where that is asked", () =>
  withFolder(async (folder) => {
    await makeTree(folder);
    await utimes(join(folder, "tree", "bin", "app"), 1000, 1000);
    const timesWith = async (choice: string) => {
      const argv = ["tree", "--output", "image.tar", "--timestamps", choice];
      const image = await assemble(folder, argv, { SOURCE_DATE_EPOCH: "1700000000" });
      const members = membersOf(join(folder, "image.tar"));
      const tar = gunzipSync(contentOf(members, `blobs/sha256/${image.layers[0]?.digest.slice(7)}`));
      const times = [0, 512].map((offset) => Number.parseInt(tar.subarray(offset + 136, offset + 147).toString(), 8));
      return {
        times,
        created: jsonOf(
          members,
          `blobs/sha256/${jsonOf(members, `blobs/sha256/${image.digest.slice(7)}`).config.digest.slice(7)}`,
        ).created,
      };
    };
    expect(await timesWith("epoch")).toEqual({ times: [1700000000, 1700000000], created: "2023-11-14T22:13:20Z" });
    expect(await timesWith("clamp")).toEqual({ times: [1700000000, 1000], created: "2023-11-14T22:13:20Z" });
  }));

test("several platforms give an index with one layer, and no manifest.json", () =>
  withFolder(async (folder) => {
    const { members, image } = await assembleTree(folder, ["--platform", "linux/arm64,linux/arm/v7"]);
    expect(image.platforms).toEqual(["linux/amd64", "linux/arm64", "linux/arm/v7"]);
    const index = jsonOf(members, `blobs/sha256/${image.digest.slice(7)}`);
    expect(index.manifests.map((entry: { platform: object }) => entry.platform)).toEqual([
      { architecture: "amd64", os: "linux" },
      { architecture: "arm64", os: "linux" },
      { architecture: "arm", os: "linux", variant: "v7" },
    ]);
    expect(members.some(({ path }) => path === "manifest.json")).toBe(false);
    // Two folders, one layer, two documents for each platform, the index, index.json and oci-layout.
    expect(members).toHaveLength(2 + 1 + 2 * 3 + 1 + 2);
  }));

test.each([
  ["a folder", "oci:made"],
  ["an OCI archive", "oci-archive:made.tar"],
  ["a docker archive", "docker-archive:made.tar"],
  ["both in one", "made.tar"],
])("an image in %s can be the base of another", (_name, place) =>
  withFolder(async (folder) => {
    await makeTree(folder);
    mkdirSync(join(folder, "more"));
    writeFileSync(join(folder, "more", "config"), "x");
    await assemble(folder, [
      "tree",
      "-o",
      place,
      "--env",
      "A=1",
      "--cmd",
      "old",
      "--entrypoint",
      "/old",
      "--label",
      "l=1",
    ]);
    const image = await assemble(folder, [
      "more",
      "-o",
      "image.tar",
      "--base",
      place,
      "--entrypoint",
      "/new",
      "--env",
      "B=2",
    ]);
    const members = membersOf(join(folder, "image.tar"));
    const manifest = jsonOf(members, `blobs/sha256/${image.digest.slice(7)}`);
    const config = jsonOf(members, `blobs/sha256/${manifest.config.digest.slice(7)}`);
    expect(config.config).toEqual({ Env: ["A=1", "B=2"], Entrypoint: ["/new"], Labels: { l: "1" } });
    expect(manifest.layers).toHaveLength(2);
    expect(config.history).toHaveLength(2);
    for (const [index, { digest }] of manifest.layers.entries()) {
      const tar = gunzipSync(contentOf(members, `blobs/sha256/${digest.slice(7)}`));
      expect(config.rootfs.diff_ids[index]).toBe(sha256Of(tar));
    }
  }),
);

test("a base without the platform that is wanted is told with those it has", () =>
  withFolder(async (folder) => {
    await makeTree(folder);
    await assemble(folder, ["tree", "-o", "oci:base", "--platform", "linux/amd64,linux/arm64"]);
    expect(
      assemble(folder, ["tree", "-o", "x.tar", "--base", "oci:base", "--platform", "linux/s390x"]),
    ).rejects.toThrow("The base oci:base has no image for linux/s390x: it has linux/amd64, linux/arm64.");
  }));

test("a layout gets another image beside those that it has, and a name leads to its last image", () =>
  withFolder(async (folder) => {
    const { image } = await assembleTree(folder);
    await assemble(folder, ["tree", "-o", "oci:many:one", "--label", "a=1"]);
    await assemble(folder, ["tree", "-o", "oci:many:two", "--platform", "linux/amd64"]);
    await assemble(folder, ["tree", "-o", "oci:many:one", "--platform", "linux/amd64"]);
    const { manifests } = JSON.parse(await Bun.file(join(folder, "many", "index.json")).text());
    expect(
      manifests.map((entry: { digest: string; annotations: object }) => [entry.digest, entry.annotations]),
    ).toEqual([
      [image.digest, { "org.opencontainers.image.ref.name": "two" }],
      [image.digest, { "org.opencontainers.image.ref.name": "one" }],
    ]);
    expect(readdirSync(join(folder, "many", "blobs", "sha256")).filter((name) => name.startsWith("."))).toEqual([]);
  }));

test("an output inside the folder is not part of the image", () =>
  withFolder(async (folder) => {
    const { image } = await assembleTree(folder);
    for (const output of ["tree/image.tar", "oci:tree/layout"]) {
      for (let run = 0; run < 2; run++) {
        const again = await assemble(folder, [
          "tree",
          "-o",
          output,
          "--platform",
          "linux/amd64",
          "--exclude",
          "image.tar",
          "--exclude",
          "layout",
        ]);
        expect(again.digest).toBe(image.digest);
      }
    }
    expect(
      (
        await assemble(join(folder, "tree"), [
          ".",
          "-o",
          "image.tar",
          "--exclude",
          "layout",
          "--platform",
          "linux/amd64",
        ])
      ).digest,
    ).toBe(image.digest);
  }));

test("a folder cannot be made into itself, or over something else", () =>
  withFolder(async (folder) => {
    await makeTree(folder);
    expect(assemble(folder, ["tree", "-o", "oci:tree"])).rejects.toThrow("is the folder that the image is made of");
    expect(assemble(folder, ["tree/bin", "-o", "oci:tree"])).rejects.toThrow("is no OCI image layout");
  }));

test.each([
  ["missing", "There is no folder"],
  ["tree/größe", "cannot be a layer"],
])("%s is refused as a folder", (name, message) =>
  withFolder(async (folder) => {
    await makeTree(folder);
    expect(assemble(folder, [name, "-o", "image.tar"])).rejects.toThrow(message);
    expect(readdirSync(folder)).toEqual(["tree"]);
  }),
);

test("a socket is refused by name, and nothing is left", () =>
  withFolder(async (folder) => {
    await makeTree(folder);
    const server = createServer().listen(join(folder, "tree", "control"));
    try {
      for (const output of ["image.tar", "oci:layout", "docker-archive:d.tar"]) {
        await expect(assemble(folder, ["tree", "-o", output])).rejects.toThrow(
          /tree\/control cannot be in an image: it is a socket/,
        );
      }
    } finally {
      server.close();
    }
    expect(readdirSync(folder)).toEqual(["tree"]);
  }));

test("a name that would delete something in a layer is refused", () =>
  withFolder(async (folder) => {
    await makeTree(folder);
    writeFileSync(join(folder, "tree", "bin", ".wh.app"), "");
    await expect(assemble(folder, ["tree", "-o", "image.tar"])).rejects.toThrow('"bin/.wh.app" cannot be in a layer');
    expect(existsSync(join(folder, "image.tar"))).toBe(false);
  }));

test("an old archive stays as it is when a new one fails", () =>
  withFolder(async (folder) => {
    await assembleTree(folder);
    const before = sha256Of(await Bun.file(join(folder, "image.tar")).bytes());
    writeFileSync(join(folder, "tree", ".wh.x"), "");
    await expect(assemble(folder, ["tree", "-o", "image.tar"])).rejects.toThrow();
    expect(sha256Of(await Bun.file(join(folder, "image.tar")).bytes())).toBe(before);
  }));

test.each([
  [[], "The image would go nowhere"],
  [["-o", "scratch"], "Nothing can be written to scratch"],
  [["-o", "type=tar,dest=x"], '"type" is "oci" or "docker"'],
  [["-o", "x.tar", "--env", "HOME"], '--env was given "HOME": wanted NAME=value'],
  [["-o", "x.tar", "--chown", "root"], '--chown was given "root"'],
  [["-o", "x.tar", "--prefix", "/a/../.."], "--prefix was given"],
  [["-o", "x.tar", "--platform", "windows/amd64"], "images are assembled for linux"],
  [["-o", "x.tar", "--compression-level", "13"], "for gzip it is 1 to 12"],
  [["-o", "x.tar", "--cmd", '["a",1]'], "--cmd was given"],
  [["-o", "x.tar", "--expose", "http"], "--expose was given"],
  [["-o", "x.tar", "--tag", "Acme/App"], "Invalid image reference"],
  [["-o", "x.tar", "--workdir", "srv"], "--workdir was given"],
  [["-o", "x.tar", "--exclude", "a", "--exclude", "[b"], "--exclude:2: "],
  [["-o", "x.tar", "--base", "oci:nosuch"], "/nosuch to read an image from."],
] as const)("%j is refused before anything is read", (argv, message) =>
  withFolder(async (folder) => {
    await makeTree(folder);
    expect(async () => assemble(folder, ["tree", ...argv])).toThrow(message);
    expect(readdirSync(folder)).toEqual(["tree"]);
  }),
);

test("a name with another digest than the image has is refused, and nothing is left", () =>
  withFolder(async (folder) => {
    const name = `acme/app@${sha256Of("other")}`;
    await expect(assembleTree(folder, ["--tag", name])).rejects.toThrow(`The image cannot be called docker.io/${name}`);
    expect(existsSync(join(folder, "image.tar"))).toBe(false);
  }));

test("a platform that is said twice is there once", () =>
  withFolder(async (folder) => {
    const { image } = await assembleTree(folder, ["--platform", "linux/amd64,linux/x86_64"]);
    expect(image.platforms).toEqual(["linux/amd64"]);
  }));

test("SOURCE_DATE_EPOCH must be a time", () =>
  withFolder(async (folder) => {
    await makeTree(folder);
    expect(async () => assemble(folder, ["tree", "-o", "x.tar"], { SOURCE_DATE_EPOCH: "today" })).toThrow(
      'SOURCE_DATE_EPOCH is "today"',
    );
  }));
