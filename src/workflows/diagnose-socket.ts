import { readFile, stat } from "node:fs/promises";
import type { SocketFacts } from "../runtime/diagnosis/engine-facts.ts";

/** What is to be known of the socket that a client complains about; undefined when it names none that is there. */
export async function inspectSocket(stderr: string, userName: string): Promise<SocketFacts | undefined> {
  const path = /unix:\/\/(\/[^\s:"']+)/.exec(stderr)?.[1];
  if (path === undefined) return undefined;
  const [facts, groups] = await Promise.all([
    stat(path).catch(() => undefined),
    readFile("/etc/group", "utf8").catch(() => ""),
  ]);
  if (facts === undefined) return undefined;
  const entry = groups.split("\n").find((line) => line.split(":")[2] === String(facts.gid));
  const [group, , , members = ""] = entry?.split(":") ?? [];
  const shared = facts.gid !== 0 && (facts.mode & 0o020) !== 0;
  return {
    path,
    group: shared ? group : undefined,
    userIsMember: members.split(",").includes(userName),
  };
}
