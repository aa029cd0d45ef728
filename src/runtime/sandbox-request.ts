import * as v from "valibot";

const pathSchema = v.pipe(v.string(), v.startsWith("/"));

/** What a worker reads in its folder's `request.json` before it runs a step. */
export const sandboxRequestSchema = v.object({
  /** Absolute paths of unpacked layers, the topmost first. */
  layers: v.array(pathSchema),
  /** The program that mounts layers where the kernel does not; null where there is none. */
  fuseOverlayfs: v.nullable(v.string()),
  argv: v.pipe(v.array(v.string()), v.minLength(1)),
  /** All of the environment: nothing is inherited. */
  env: v.record(v.string(), v.string()),
  /** Made when it is not there. */
  cwd: pathSchema,
  user: v.object({ uid: v.number(), gid: v.number(), groups: v.array(v.number()) }),
  /** In its place: `user` or `user:group` as the image's own files know them; HOME is that user's unless `env` says otherwise. */
  account: v.optional(v.string()),
  /** Host files, folders or sockets that the step sees; nothing of them is in the layer. */
  binds: v.array(v.object({ source: pathSchema, target: pathSchema, readOnly: v.boolean() })),
  /** Folders of the image that binds would hide: they are seen in their places all the same. */
  kept: v.array(pathSchema),
  /** Files in memory that only exist while the step runs, for their owner alone. */
  secrets: v.array(
    v.object({
      /** A name in /run/secrets. */
      name: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/)),
      source: v.variant("kind", [
        v.object({ kind: v.literal("file"), path: pathSchema }),
        v.object({ kind: v.literal("env"), name: v.string() }),
      ]),
    }),
  ),
  network: v.picklist(["host", "none"]),
  /** `output`: nothing to read, all output on stdout, and the end of stdin ends the step. `inherited`: this process's own. */
  stdio: v.picklist(["output", "inherited"]),
});
export type SandboxRequest = v.InferOutput<typeof sandboxRequestSchema>;

/** What the worker leaves in `result.json`: no such file means that it was killed. */
export const sandboxResultSchema = v.variant("kind", [
  v.object({ kind: v.literal("ended"), exitCode: v.number(), made: v.array(v.string()) }),
  v.object({ kind: v.literal("refused"), call: v.string(), code: v.string(), overlay: v.boolean() }),
  /** The program of the step could not be started. */
  v.object({ kind: v.literal("unstartable"), program: v.string(), code: v.string() }),
  /** The image's `file` does not have what `account` names. */
  v.object({ kind: v.literal("no account"), wanted: v.string(), file: v.picklist(["/etc/passwd", "/etc/group"]) }),
]);
export type SandboxResult = v.InferOutput<typeof sandboxResultSchema>;

/** A step's own folder: what is in it, by relative paths. */
export const SANDBOX_FOLDER = {
  request: "request.json",
  result: "result.json",
  /** Where the step's changes go: the new layer. */
  upper: "upper",
  /** The kernel's own scratch space beside it. */
  scratch: "scratch",
  root: "root",
  links: "l",
} as const;
