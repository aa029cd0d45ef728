import type { BaseFiles } from "./base-files.ts";

/** Who an agent's container is to work as, on the host. */
export interface WantedUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Who the agent works as in the image, and what that changes of its files; undefined for a file that stays as it is. */
export interface AgentUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly passwd: string | undefined;
  readonly group: string | undefined;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** An image's users and groups, and whether lines may be added to their files. */
export type UserFiles = Pick<BaseFiles, "passwd" | "group" | "canAddUsers" | "canAddGroups">;

/**
 * The user of an image that has the wanted ids, added where there is none. A user of the image with the uid is taken as it is, with its
 * home; a name or a group that is another's is left to it, and the user is called something else. Undefined where one would have to be
 * added and cannot be.
 */
export function decideAgentUser(wanted: WantedUser, files: UserFiles): AgentUser | undefined {
  const { passwd, group } = files;
  const users = passwd.split("\n").flatMap(readUser);
  const groups = group.split("\n").flatMap(readGroup);
  const { uid, gid } = wanted;
  // A group without a name is no obstacle.
  const needsGroup = files.canAddGroups && groups.every((known) => known.gid !== gid);
  const newGroup = needsGroup ? `${freeName(wanted.name, groups)}:x:${gid}:` : undefined;
  const groupText = newGroup === undefined ? undefined : withLine(group, newGroup);
  const known = users.find((user) => user.uid === uid);
  if (known !== undefined) {
    return { name: known.name, uid, gid, home: homeOf(known), passwd: undefined, group: groupText };
  }
  if (!files.canAddUsers) return undefined;
  const name = uid === 0 ? "root" : freeName(wanted.name, users);
  const home = uid === 0 ? "/root" : `/home/${name}`;
  const line = `${name}:x:${uid}:${gid}::${home}:/bin/sh`;
  return { name, uid, gid, home, passwd: withLine(passwd, line), group: groupText };
}

/** The user that an image itself ends with, written as in USER: a name or a uid, with a group after a colon. */
export function ownUser(written: string, { passwd, group }: Pick<UserFiles, "passwd" | "group">): AgentUser {
  const [user = "", groupName = ""] = (written === "" ? "0" : written).split(":");
  const users = passwd.split("\n").flatMap(readUser);
  const known = users.find(({ name, uid }) => name === user || String(uid) === user);
  const named = group
    .split("\n")
    .flatMap(readGroup)
    .find(({ name }) => name === groupName);
  const number = (text: string) => (/^\d+$/.test(text) ? Number(text) : undefined);
  const uid = known?.uid ?? number(user) ?? 0;
  const gid = named?.gid ?? number(groupName) ?? known?.gid ?? 0;
  const name = known?.name ?? (uid === 0 ? "root" : "user");
  const home = known === undefined ? (uid === 0 ? "/root" : `/home/${name}`) : homeOf(known);
  return { name, uid, gid, home, passwd: undefined, group: undefined };
}

function readUser(line: string): PasswdEntry[] {
  const [name = "", , uid = "", gid = "", , home = ""] = line.split(":");
  return name !== "" && /^\d+$/.test(uid) ? [{ name, uid: Number(uid), gid: Number(gid), home }] : [];
}

function readGroup(line: string): { name: string; gid: number }[] {
  const [name = "", , gid = ""] = line.split(":");
  return name !== "" && /^\d+$/.test(gid) ? [{ name, gid: Number(gid) }] : [];
}

/** An account without a home of its own gets one that it can write to. */
function homeOf({ name, uid, home }: PasswdEntry): string {
  const isUsable = /^\/[A-Za-z0-9_./-]+$/.test(home) && home !== "/" && home !== "/nonexistent";
  if (isUsable) return home.replace(/\/+$/, "");
  return uid === 0 ? "/root" : `/home/${plainName(name)}`;
}

function freeName(wanted: string, taken: readonly { readonly name: string }[]): string {
  const name = plainName(wanted);
  const isFree = (candidate: string) => taken.every((known) => known.name !== candidate);
  if (isFree(name)) return name;
  let number = 2;
  while (!isFree(`${name}${number}`)) number += 1;
  return `${name}${number}`;
}

/** A name that every distribution's tools take. */
function plainName(name: string): string {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, "-")
    .replace(/^[^a-z_]+/, "")
    .slice(0, 31);
  return plain === "" ? "user" : plain;
}

function withLine(text: string, line: string): string {
  return `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}${line}\n`;
}
