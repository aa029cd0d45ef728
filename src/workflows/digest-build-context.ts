import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { createDockerignore } from "../dockerfile/dockerignore.ts";
import { UserError } from "../errors.ts";
import { cacheDirectory } from "../store/directories.ts";
import { openFileDigests } from "../store/file-digests.ts";
import { digestContext } from "./digest-context.ts";
import type { Tools } from "./tools.ts";

/** The digest of what a builder is sent of a folder; `ignore` counts instead of the folder's own `.dockerignore`, `hint` helps who named it. */
export async function digestBuildContext(
  asked: { readonly context: string; readonly ignore: string | undefined; readonly hint: string },
  tools: Tools,
): Promise<string> {
  const { context, ignore, hint } = asked;
  const found = await stat(context).catch(() => undefined);
  if (found?.isDirectory() !== true) throw new UserError(`The build context ${context} is not a folder.`, { hint });
  const own = ignore ?? (await readFile(join(context, ".dockerignore"), "utf8").catch(() => ""));
  const known = await openFileDigests(cacheDirectory(tools), context, Date.now);
  return digestContext(context, createDockerignore(own), known);
}
