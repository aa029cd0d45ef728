import type { UserIdsStep } from "./build-plan.ts";

/** The user on the host whose ids the remote user of an image is to have. */
export interface HostUser {
  /** The host's platform, as Node names it. */
  readonly platform: string;
  readonly uid: number;
  readonly gid: number;
}

/** A remote user and the ids that it is to have. */
export type UserIds = Pick<UserIdsStep, "user" | "uid" | "gid">;

/** What the command line says about ids, and whose they would be. */
export interface UserIdsWish {
  /** `never` overrules the configuration, `on` and `off` count where it is silent. */
  readonly byDefault: "never" | "on" | "off";
  readonly host: HostUser;
}

/**
 * Whether the remote user gets the host user's ids, so that both own the same files of a mounted workspace: on Linux alone, where the
 * configuration says so or leaves it to a default that is on, and neither for root nor for a user that has a number and no name.
 */
export function decideUserIds(
  { byDefault, host }: UserIdsWish,
  said: {
    /** `updateRemoteUserUID`, merged. */
    readonly configured: boolean | undefined;
    /** Of `workingUser`. */
    readonly user: string;
  },
): UserIds | undefined {
  const { configured, user } = said;
  if (byDefault === "never" || !(configured ?? byDefault === "on")) return undefined;
  // To give root's ids away would hand the user the container, and no file needs it: root on the host may write anything.
  if (host.platform !== "linux" || host.uid === 0) return undefined;
  if (user === "root" || /^\d+$/.test(user)) return undefined;
  return { user, uid: host.uid, gid: host.gid };
}
