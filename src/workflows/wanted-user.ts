import type { WantedUser } from "../agent/agent-user.ts";
import type { AgentSettings } from "../agent/settings.ts";
import { engineKindOf } from "../runtime/local-image.ts";
import type { ResolvedSource } from "./resolved-source.ts";
import type { Tools } from "./tools.ts";

/** Whose ids a process has, and whether that is on Linux: elsewhere engines give files to whoever asks for them. */
export interface Caller {
  readonly uid: number;
  readonly gid: number;
  readonly linux: boolean;
}

/** The caller of this process. */
export function thisCaller(): Caller {
  const [uid, gid] = [process.getuid?.() ?? 1000, process.getgid?.() ?? 1000];
  return { uid, gid, linux: process.platform === "linux" };
}

/**
 * Who an agent is to work as so that files belong to the caller: somebody with the caller's ids, or those that are set; root with a
 * rootless Docker, in whose containers nobody else is the caller.
 */
export async function wantedUser(
  settings: Pick<AgentSettings, "username" | "uid" | "gid">,
  { source, caller }: { readonly source: Pick<ResolvedSource, "engine" | "images">; readonly caller: Caller },
  tools: Pick<Tools, "environment">,
): Promise<WantedUser> {
  const name = settings.username ?? (tools.environment["USER"] || "user");
  const isRoot = settings.uid === null && settings.gid === null && (await isMappedToRoot(source, caller));
  const own = isRoot ? { uid: 0, gid: 0 } : caller;
  return { name, uid: settings.uid ?? own.uid, gid: settings.gid ?? own.gid };
}

async function isMappedToRoot(
  { engine, images }: Pick<ResolvedSource, "engine" | "images">,
  { uid, linux }: Caller,
): Promise<boolean> {
  const [image] = images.values();
  if (!linux || uid === 0 || engine.kind !== "client" || engineKindOf(image) !== "docker") return false;
  const { exitCode, stdout } = await engine.ask(["info", "--format", "{{json .SecurityOptions}}"]);
  return exitCode === 0 && stdout.includes('"name=rootless"');
}
