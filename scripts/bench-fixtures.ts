import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { TestEngine } from "../tests/engines/engines.ts";

const root = join(import.meta.dir, "..");

/** The reference CLI's executable. */
export const REFERENCE = join(root, "node_modules", ".bin", "devcontainer");

/** A copy of examples/hello: an image and two local Features. */
export function makeLocalWorkspace(directory: string, name: string): string {
  const workspace = workspaceFolder(directory, name);
  cpSync(join(root, "examples", "hello"), workspace, { recursive: true });
  return workspace;
}

/** A workspace whose two Features have just been published to the registry. */
export async function makeRegistryWorkspace(directory: string, registry: string): Promise<string> {
  const workspace = workspaceFolder(directory, "registry");
  const source = join(directory, "features");
  const namespace = `bench/${crypto.randomUUID()}`;
  for (const id of ["one", "two"]) {
    mkdirSync(join(source, id), { recursive: true });
    writeFileSync(join(source, id, "devcontainer-feature.json"), JSON.stringify({ id, version: "1.0.0", name: id }));
    writeFileSync(join(source, id, "install.sh"), `#!/bin/sh\necho ${id} >/usr/local/share/${id}\n`);
  }
  const publish = Bun.spawn([REFERENCE, "features", "publish", "-r", registry, "-n", namespace, source], {
    stdout: "ignore",
    stderr: "pipe",
  });
  if ((await publish.exited) !== 0)
    throw new Error(`The Features could not be published:\n${await publish.stderr.text()}`);
  const features = { [`${registry}/${namespace}/one:1`]: {}, [`${registry}/${namespace}/two:1`]: {} };
  mkdirSync(join(workspace, ".devcontainer"), { recursive: true });
  writeFileSync(
    join(workspace, ".devcontainer", "devcontainer.json"),
    JSON.stringify({ image: "debian:bookworm-slim", features }),
  );
  return workspace;
}

/** A stand-in for the engine's client that passes everything on, and writes the nanoseconds of each build to `log`. */
export function makeTimedClient(directory: string, { engine, log }: { engine: TestEngine; log: string }): string {
  const client = join(directory, engine.name === "podman" ? "podman" : "docker");
  const lines = [
    "#!/bin/sh",
    "started=$(date +%s%N)",
    `'${engine.path}' "$@"`,
    "status=$?",
    `case " $1 $2 " in " build "* | " buildx build ") echo $(($(date +%s%N) - started)) >>'${log}' ;; esac`,
    "exit $status",
  ];
  writeFileSync(client, `${lines.join("\n")}\n`);
  chmodSync(client, 0o755);
  return client;
}

/** The milliseconds of all builds that the stand-in wrote down. */
export function engineTime(log: string): number {
  const nanoseconds = readFileSync(log, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map(Number);
  if (nanoseconds.length === 0)
    throw new Error("The engine was not asked to build, so there is nothing to compare with.");
  return nanoseconds.reduce((sum, one) => sum + one, 0) / 1e6;
}

/** Removes every image that a tool named after one of the workspaces in the directory called `name`. */
export function removeImages(engine: TestEngine, name: string): void {
  const options = { env: { ...process.env, ...engine.env } };
  const list = Bun.spawnSync([engine.path, "image", "ls", "--format", "{{.Repository}}:{{.Tag}}"], options);
  const images = list.stdout
    .toString()
    .split("\n")
    .filter((image) => image.includes(name));
  if (images.length > 0) Bun.spawnSync([engine.path, "image", "rm", "--force", ...images], options);
}

function workspaceFolder(directory: string, name: string): string {
  return join(directory, `${basename(directory)}-${name}`);
}
