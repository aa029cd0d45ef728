import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { processIdentity } from "../host/process-identity.ts";
import { hexOf, sha256Of } from "../oci/digest.ts";

/** Who else looks after an agent in a folder: nobody, a process that runs, or one that was killed, whose container may still run. */
export type Others = "none" | "running" | "killed";

/** That a process looks after an agent in a folder, told to the user's other processes until it leaves. */
export interface AgentPresence {
  /** Says who is left. */
  readonly leave: () => Others;
  /** Forgets those that were killed; for whoever knows that their containers are gone. */
  readonly forgetKilled: () => void;
}

/** Tells that this process looks after an agent in a workspace, in the user's state directory; where it cannot, others are as if killed. */
export function enterWorkspace(state: string, workspace: string): AgentPresence {
  const folder = join(state, "agents", hexOf(sha256Of(workspace)));
  const own = join(folder, randomUUID());
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(own, processIdentity(process.pid) ?? "", { mode: 0o600 });
  } catch {
    return { leave: () => "killed", forgetKilled: () => undefined };
  }
  return {
    leave() {
      rmSync(own, { force: true });
      const others = listed(folder).map(isRunning);
      if (others.length > 0) return others.includes(true) ? "running" : "killed";
      removeFolder(folder);
      return "none";
    },
    forgetKilled() {
      for (const path of listed(folder)) if (!isRunning(path)) rmSync(path, { force: true });
      removeFolder(folder);
    },
  };
}

function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    // Who left last took it away.
    return [];
  }
}

function isRunning(path: string): boolean {
  const identity = textOf(path);
  // Where processes cannot be told apart, each may have been killed.
  return identity !== "" && processIdentity(Number(identity.split(" ")[1])) === identity;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // It has just left.
    return "";
  }
}

function removeFolder(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Another has just entered.
  }
}
