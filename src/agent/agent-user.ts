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

/**
 * The user of an image that has the wanted ids, added where there is none. A user of the image with the uid is taken as it is, with its
 * home; a name or a group that is another's is left to it, and the user is called something else.
 */
export function decideAgentUser(
  wanted: WantedUser,
  { passwd, group }: { readonly passwd: string; readonly group: string },
): AgentUser {
  const users = passwd.split("\n").flatMap(readUser);
  const groups = group.split("\n").flatMap(readGroup);
  const { uid, gid } = wanted;
  const newGroup = groups.some((known) => known.gid === gid) ? undefined : `${freeName(wanted.name, groups)}:x:${gid}:`;
  const groupText = newGroup === undefined ? undefined : withLine(group, newGroup);
  const known = users.find((user) => user.uid === uid);
  if (known !== undefined) {
    return { name: known.name, uid, gid, home: homeOf(known), passwd: undefined, group: groupText };
  }
  const name = uid === 0 ? "root" : freeName(wanted.name, users);
  const home = uid === 0 ? "/root" : `/home/${name}`;
  const line = `${name}:x:${uid}:${gid}::${home}:/bin/sh`;
  return { name, uid, gid, home, passwd: withLine(passwd, line), group: groupText };
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
