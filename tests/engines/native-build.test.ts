import { expect, test } from "bun:test";
import { existsSync, readFileSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { askEngine, runInImage } from "./builders.ts";
import { availableEngines, BASE_IMAGE, runCooper } from "./engines.ts";
import { describeNative } from "./native.ts";
import { layerEntries, leftoverWork, mountsBelow, storedImage, topEntries, writeEmptyImage } from "./native-image.ts";
import { processesWith, until } from "./processes.ts";
import { describeRegistries } from "./registries.ts";
import { devcontainerJson, imageOf, localFeature, messageOf } from "./workspace.ts";

/** A Feature's script that does not come out the same twice: in the store is what it wrote as often as it ran. */
const ONCE = (name: string) => `cat /proc/sys/kernel/random/uuid >/ran-${name}`;

describeNative((native) => {
  const nap = `sleep 2000.${Number.parseInt(native.id.slice(0, 8), 16)}`;
  const base = () => storedImage(native.store, BASE_IMAGE);
  /** A workspace whose image has these Features, in this order. */
  const withFeatures = (scripts: Readonly<Record<string, string>>, config: object = {}) => {
    const ids = Object.keys(scripts).map((id) => `./${id}`);
    const features = Object.fromEntries(ids.map((id) => [id, {}]));
    const order = { overrideFeatureInstallOrder: ids };
    return native.workspace(
      Object.assign(
        devcontainerJson({ image: BASE_IMAGE, features, ...order, ...config }),
        ...Object.entries(scripts).map(([id, script]) => localFeature(id, script)),
      ),
    );
  };

  test("Features get their options and what those before them set, and the image has it too", async () => {
    const folder = native.workspace({
      ...devcontainerJson({
        image: BASE_IMAGE,
        features: { "./beta": { greeting: `it's "$HOME" \\` }, "./alpha": {} },
        overrideFeatureInstallOrder: ["./alpha", "./beta"],
      }),
      ...localFeature("alpha", `echo "$COLOR" >/alpha`, {
        options: { color: { type: "string", default: "green" } },
        containerEnv: { ALPHA: "of alpha", PATH: "/opt/alpha:${PATH}" },
      }),
      ...localFeature("beta", `printf '%s\\n' "$GREETING" "$ALPHA" "$PATH" "$(cat /alpha)" "$HOME" >/beta`, {
        options: { greeting: { type: "string", default: "" } },
      }),
    });
    const image = storedImage(native.store, imageOf(await native.build(folder)));
    const path = "/opt/alpha:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    expect(native.left("beta")).toEqual([`it's "$HOME" \\\nof alpha\n${path}\ngreen\n/root\n`]);
    expect(image.config.config.Env).toContain("ALPHA=of alpha");
    expect(image.config.config.Env).toContain(`PATH=${path}`);
    expect(image.config.config.Labels?.["devcontainer.metadata"]).toContain(`"id":"./beta"`);
    expect(image.layers.length).toBe(base().layers.length + 2);
  });

  test("a Feature that fails is named with the last that it said, and leaves nothing", async () => {
    const index = readFileSync(join(native.store, "index.json"), "utf8");
    const run = await native.build(withFeatures({ broken: "echo the cause is this >&2\nexit 7" }));
    expect(messageOf(run)).toMatch(
      /^Feature "broken" \(.*\) failed to install with exit code 7:\n {2}the cause is this/,
    );
    expect(leftoverWork(native.store)).toEqual([]);
    expect(readFileSync(join(native.store, "index.json"), "utf8")).toBe(index);
  });

  test("what a step removes or replaces is gone from the image, as layers say it", async () => {
    const folder = withFeatures({
      makes: "mkdir /thing && touch /thing/old /file",
      takes: `rm /etc/motd /file && rm -rf /thing /etc/skel && mkdir /etc/skel && touch /etc/skel/new
rm -rf /media && echo a file >/media && rm /etc/issue && mkdir /etc/issue && mv /srv /moved`,
      sees: `[ ! -e /etc/motd ] && [ ! -e /file ] && [ "$(ls -A /etc/skel)" = new ] && [ -f /media ] && [ -d /etc/issue ]
mkdir /thing && touch /thing/again && [ "$(ls /thing)" = again ]`,
    });
    const { layers } = storedImage(native.store, imageOf(await native.build(folder)));
    const [, takes, sees] = layers.slice(-3).map(({ file }) => layerEntries(file));
    expect(takes?.map(({ path, mode }) => `${mode[0]} ${path}`)).toEqual(
      [
        "d etc/",
        "- etc/.wh.motd",
        "d etc/issue/",
        "d etc/skel/",
        "- etc/skel/.wh..wh..opq",
        "- etc/skel/new",
        "- media",
        "d moved/",
        "d tmp/",
        "- .wh.file",
        "- .wh.srv",
        "- .wh.thing",
      ].toSorted((one, other) => (one.slice(2) < other.slice(2) ? -1 : 1)),
    );
    expect(sees?.map(({ path }) => path)).toContain("thing/again");
  });

  test("steps that only set something change the configuration alone", async () => {
    const files = devcontainerJson({
      image: BASE_IMAGE,
      remoteUser: "games",
      updateRemoteUserUID: false,
    });
    const image = storedImage(
      native.store,
      imageOf(await native.build(native.workspace(files), { args: ["--label", "of=us"] })),
    );
    expect(image.layers).toEqual(base().layers);
    expect(image.config.config.Labels).toMatchObject({ of: "us" });
    expect(image.config.config.Labels?.["devcontainer.metadata"]).toContain(`"remoteUser":"games"`);
  });

  test("a step runs once: not for the same build, another name, another project, or one Feature more", async () => {
    const five = Object.fromEntries(["v", "w", "x", "y", "z"].map((id) => [id, ONCE(id)]));
    const ran = () => [...Object.keys(five), "more"].map((id) => native.left(`ran-${id}`).length);
    const folder = withFeatures(five);
    const first = imageOf(await native.build(folder));
    const again = await native.build(folder);
    expect(imageOf(again)).toBe(first);
    expect(again.stderr).toContain("Nothing changed");
    imageOf(await native.build(folder, { args: ["--image-name", "localhost/named:1"] }));
    expect(storedImage(native.store, "localhost/named:1").layers).toEqual(storedImage(native.store, first).layers);
    imageOf(await native.build(withFeatures(five)));
    expect(ran()).toEqual([1, 1, 1, 1, 1, 0]);
    imageOf(await native.build(withFeatures({ ...five, more: ONCE("more") })));
    expect(ran()).toEqual([1, 1, 1, 1, 1, 1]);
    imageOf(await native.build(folder, { args: ["--no-cache"] }));
    expect(ran()).toEqual([2, 2, 2, 2, 2, 1]);
  });

  test("the same step in another store makes the same bytes", async () => {
    const files = {
      ...devcontainerJson({ image: BASE_IMAGE, features: { "./same": {} } }),
      ...localFeature(
        "same",
        "mkdir -p /same/deep && seq 3000 >/same/deep/numbers && ln -s deep /same/link && ln /same/deep/numbers /same/hard && chown 7:8 /same/deep && rm /etc/motd",
      ),
    };
    const first = storedImage(native.store, imageOf(await native.build(native.workspace(files))));
    const env = { XDG_DATA_HOME: native.directory("data") };
    const store = join(env.XDG_DATA_HOME, "cooper", "store");
    const copied = await native.run(["image", "copy", `oci:${native.store}:${BASE_IMAGE}`, `store:${BASE_IMAGE}`], {
      env,
    });
    expect(copied).toMatchObject({ exitCode: 0 });
    const second = storedImage(store, imageOf(await native.build(native.workspace(files), { env })));
    expect(second).toEqual({
      ...first,
      layers: first.layers.map(({ digest, file }) => ({ digest, file: file.replace(native.store, store) })),
    });
  });

  test("what a step says by the devices of its output arrives, and what it leaves running ends with it", async () => {
    const run = await native.build(
      withFeatures({
        talks: `for device in /dev/stdout /dev/stderr /dev/fd/1 /dev/fd/2; do echo "said on $device" >$device; done
setsid ${nap} &
(${nap} >/dev/null 2>&1 &)`,
      }),
    );
    imageOf(run);
    for (const device of ["/dev/stdout", "/dev/stderr", "/dev/fd/1", "/dev/fd/2"]) {
      expect(run.stderr).toContain(`said on ${device}`);
    }
    await until(
      () => processesWith(nap).length === 0,
      () => JSON.stringify(processesWith(nap)),
    );
  });

  test("--step-timeout ends a step that hangs, with all that it started", async () => {
    const folder = withFeatures({ hangs: `trap '' TERM INT HUP\nsetsid ${nap} &\n${nap}` });
    const run = await native.build(folder, { args: ["--step-timeout", "2"] });
    expect(messageOf(run)).toContain("ran longer than 2 seconds");
    expect(run.stderr).toContain("--step-timeout");
    await until(
      () => processesWith(nap).length === 0,
      () => JSON.stringify(processesWith(nap)),
    );
    expect(leftoverWork(native.store)).toEqual([]);
  });

  test("a step mounts nothing, and what was mounted for it leaves no trace in the layer", async () => {
    const token = join(native.directory("secret"), "token");
    writeFileSync(token, `unspoken-${native.id}`);
    native.give(token);
    const folder = withFeatures({
      mounts: `! mount -t tmpfs none /mnt 2>/dev/null && ! mount --bind /usr /mnt 2>/dev/null
rm -rf /run/mount
echo 192.0.2.1 example.test >>/etc/hosts && grep -q example.test /etc/hosts
echo nameserver 192.0.2.1 >>/etc/resolv.conf && grep -q unspoken /run/secrets/token
echo x >/dev/shm/x && touch /dev/x /mark`,
    });
    const image = imageOf(await native.build(folder, { args: ["--secret", `id=token,src=${token}`] }));
    expect(topEntries(native, image).map(({ path }) => path)).toEqual(["mark", "run/"]);
    expect(mountsBelow(native.home)).toEqual([]);
  });

  test("files of other users and closed folders are in the layer, and can be removed", async () => {
    const folder = withFeatures({
      closed: `mkdir -p /closed/in && echo x >/closed/in/file && mkfifo /closed/pipe
chown -R 1234:2345 /closed && chmod 6755 /closed/in/file && chmod 000 /closed/in /closed`,
    });
    const image = imageOf(await native.build(folder));
    expect(topEntries(native, image)).toEqual([
      { path: "closed/", mode: "d---------", owner: "1234/2345" },
      { path: "closed/in/", mode: "d---------", owner: "1234/2345" },
      { path: "closed/in/file", mode: "-rwsr-sr-x", owner: "1234/2345" },
      { path: "closed/pipe", mode: "prw-r--r--", owner: "1234/2345" },
    ]);
    const diffId = storedImage(native.store, image).config.rootfs.diff_ids.at(-1)?.replace("sha256:", "") ?? "";
    const unpacked = join(native.store, "layers", diffId);
    expect(existsSync(unpacked)).toBe(true);
    expect(await native.run(["image", "rm", "--store", image])).toMatchObject({ exitCode: 0 });
    // A build could go on from the step, until the store is pruned.
    expect(await native.run(["image", "prune", "--store"])).toMatchObject({ exitCode: 0 });
    expect(existsSync(unpacked)).toBe(false);
    expect(leftoverWork(native.store)).toEqual([]);
  });

  test("--network none leaves a step alone with itself", async () => {
    const folder = withFeatures({ alone: "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ' >/interfaces" });
    imageOf(await native.build(folder, { args: ["--network", "none"] }));
    expect(native.left("interfaces")).toEqual(["lo\n"]);
  });

  describeRegistries(({ plain }) => {
    test("an image goes to layouts, archives, registries and engines, is in order there, and runs", async () => {
      const folder = withFeatures({
        made: "rm -rf /etc/skel /etc/motd && mkdir /etc/skel && touch /etc/skel/new && chown 1:2 /etc/skel/new && echo made >/made",
      });
      const [cwd, tag] = [native.directory("outputs"), `${plain}/native-${native.id}/image:1`];
      const name = ["--image-name", tag];
      const [layout, archive, docker] = ["oci:layout", "type=oci,dest=image.tar", "type=docker,dest=docker.tar"];
      for (const output of [layout, archive, docker]) {
        imageOf(await native.build(folder, { cwd, args: [...name, "--output", output] }));
      }
      imageOf(await native.build(folder, { cwd, args: [...name, "--push"] }));
      for (const place of [`store:${tag}`, "oci:layout", "image.tar", "docker.tar", `docker://${tag}`]) {
        const { exitCode, stdout } = await native.run(["image", "validate", place], { cwd });
        expect({ place, exitCode, faults: JSON.parse(stdout).faults }).toEqual({ place, exitCode: 0, faults: [] });
      }
      for (const engine of availableEngines().filter(({ reason }) => reason === undefined)) {
        const loaded = `localhost/cooper-native-${native.id}/${engine.name}:1`;
        const env = { ...engine.env, COOPER_DOCKER_PATH: engine.path };
        try {
          // Who may not talk to the engine hands the archive to somebody who may.
          if (native.name === "root")
            imageOf(await native.build(folder, { env, args: ["--image-name", loaded, "--load"] }));
          else
            await runCooper(["image", "copy", `oci-archive:${join(cwd, "image.tar")}`, `engine:${loaded}`], { engine });
          const said = await runInImage(
            engine,
            loaded,
            "cat /made; ls -An /etc/skel | tail -n +2 | cut -d' ' -f3-4; ls /etc/motd 2>&1 || true",
          );
          expect(said.split("\n").slice(0, 2)).toEqual(["made", "1 2"]);
          expect(said).toContain("No such file");
        } finally {
          await askEngine(engine, ["rmi", "--force", loaded]);
        }
      }
    });
  });

  test("plan says what would run in the sandbox, and which options cannot be had", async () => {
    const folder = withFeatures({ one: "touch /one", two: "touch /two" });
    const plan = (...args: string[]) =>
      native.run(["plan", "--workspace-folder", folder, "--backend", "native", ...args], {
        env: { PATH: "/usr/bin:/bin" },
      });
    const install = (id: string) =>
      `/bin/sh -c 'cd /tmp/dev-container-features/${id} && chmod -R 0755 . && ./devcontainer-features-install.sh'\n`;
    expect((await plan("--argv")).stdout).toBe(install("one_0") + install("two_1"));
    expect(JSON.parse((await plan()).stdout)).toMatchObject({ upToDate: false });
    expect((await plan("--dockerfile")).stderr).toContain("No Dockerfile is built with this backend.");
    expect((await plan("--argv", "--builder", "x")).stderr).toContain(
      "--builder cannot be had with cooper's own engine.",
    );
  });

  test("a platform that is not this machine's is refused before the base is looked for, and so are several", async () => {
    const folder = withFeatures({ one: "touch /one" }, { image: "localhost:1/nowhere:1" });
    for (const command of ["build", "plan"]) {
      const say = async (platform: string) =>
        (await native.run([command, "--workspace-folder", folder, "--backend", "native", "--platform", platform]))
          .stderr;
      expect(await say("linux/s390x")).toContain("which is what this machine is, and linux/s390x is wanted.");
      expect(await say("linux/arm64,linux/amd64")).toContain(
        "cooper's own engine builds for one platform at a time, and linux/arm64,linux/amd64 are several.",
      );
    }
  });

  test("a base of another platform, or with ONBUILD instructions, is refused by name", async () => {
    const layout = native.directory("layout");
    const architecture = process.arch === "x64" ? "amd64" : "arm64";
    writeEmptyImage(layout, { name: "onbuild", architecture, config: { OnBuild: ["RUN true"] } });
    writeEmptyImage(layout, { name: "foreign", architecture: "s390x", config: {} });
    native.give(layout);
    for (const name of ["onbuild", "foreign"]) {
      const copy = ["image", "copy", `oci:${layout}:${name}`, `store:localhost/${name}:1`, "--platform", "all"];
      expect(await native.run(copy)).toMatchObject({ exitCode: 0 });
    }
    const build = (name: string) => native.build(withFeatures({ one: "touch /one" }, { image: `localhost/${name}:1` }));
    expect(messageOf(await build("onbuild"))).toBe(
      "The base image localhost/onbuild:1 has ONBUILD instructions, which cooper's own engine does not run.",
    );
    expect(messageOf(await build("foreign"))).toContain("which is what this machine is, and linux/s390x is wanted.");
  });

  test("a Dockerfile is refused in a sentence that names who can build it, but for one that only says FROM", async () => {
    const config = devcontainerJson({ build: { dockerfile: "Dockerfile" }, features: { "./mark": {} } });
    const feature = localFeature("mark", "touch /mark");
    const plain = native.workspace({
      ...config,
      ...feature,
      ".devcontainer/Dockerfile": `ARG BASE=${BASE_IMAGE}\nFROM $BASE\n`,
    });
    const image = imageOf(await native.build(plain));
    expect(topEntries(native, image).map(({ path }) => path)).toEqual(["mark"]);
    const more = native.workspace({
      ...config,
      ...feature,
      ".devcontainer/Dockerfile": `FROM ${BASE_IMAGE}\nRUN true\n`,
    });
    const run = await native.build(more);
    expect(messageOf(run)).toBe("cooper's own engine builds no Dockerfile: Docker and Podman can.");
    expect(run.stderr).toContain("--backend engine");
  });
});

describeNative(
  (native) => {
    test("a disk that is full is a failure that says so, and leaves nothing; with space again, the build succeeds", async () => {
      const data = native.directory("disk");
      const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=340m", "none", data]);
      expect(mounted.exitCode).toBe(0);
      try {
        const options = { env: { XDG_DATA_HOME: data } };
        const store = join(data, "cooper", "store");
        const source = `oci:${native.store}:${BASE_IMAGE}`;
        expect(await native.run(["image", "copy", source, `store:${BASE_IMAGE}`], options)).toMatchObject({
          exitCode: 0,
        });
        const build = (script: string) =>
          native.build(
            native.workspace({
              ...devcontainerJson({ image: BASE_IMAGE, features: { "./big": {} } }),
              ...localFeature("big", script),
            }),
            options,
          );
        imageOf(await build("touch /small"));
        const before = readFileSync(join(store, "index.json"), "utf8");
        const free = statfsSync(data);
        const space = free.bavail * free.bsize;
        // The step itself; and, when its random bytes have room, but not once more as a layer, its packing.
        const cases = [
          { size: 2 * space, said: /No space left on device/ },
          { size: Math.floor(0.75 * space), said: /^Could not write .*: the disk is full/ },
        ];
        for (const { size, said } of cases) {
          const run = await build(`head -c ${size} /dev/urandom >/big`);
          expect(messageOf(run)).toMatch(said);
          expect(leftoverWork(store)).toEqual([]);
          expect(readFileSync(join(store, "index.json"), "utf8")).toBe(before);
        }
        const image = imageOf(await build("touch /small /other"));
        expect(await native.run(["image", "validate", `store:${image}`], options)).toMatchObject({ exitCode: 0 });
      } finally {
        Bun.spawnSync(["umount", "-l", data]);
      }
    });
  },
  ["root"],
);
