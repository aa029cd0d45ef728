/** Who a process in an image runs as, and where that account's files are. */
export interface ImageAccount {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly home: string;
}

/** An account that the image does not have: what was looked for, and in which of its files. */
export interface UnknownAccount {
  readonly wanted: string;
  readonly file: "/etc/passwd" | "/etc/group";
}

const MAXIMUM_ID = 2 ** 32 - 2;

/**
 * The account of `user` or `user:group`, names or numbers, as an image's own files have it and engines read them: a number needs no
 * entry, supplementary groups come with a user whose group is not given. Empty means root.
 */
export function imageAccount(
  wanted: string,
  files: { readonly passwd: string; readonly group: string },
): ImageAccount | UnknownAccount {
  const [named = "", groupName = ""] = wanted.split(":");
  const user = named === "" ? "0" : named;
  const entry = entriesOf(files.passwd).find(([name, , id]) => name === user || id === user);
  const uid = entry === undefined ? numberIn(user) : numberIn(entry[2]);
  if (uid === undefined) return { wanted: user, file: "/etc/passwd" };
  const groups = entriesOf(files.group);
  const home = entry?.[5] || "/";
  if (groupName !== "") {
    const gid = numberIn(groups.find(([name]) => name === groupName)?.[2] ?? groupName);
    return gid === undefined ? { wanted: groupName, file: "/etc/group" } : { uid, gid, groups: [], home };
  }
  const supplementary = groups.flatMap(([, , id, members = ""]) => {
    const number = numberIn(id);
    const isMember = entry !== undefined && members.split(",").includes(entry[0] ?? "");
    return isMember && number !== undefined ? [number] : [];
  });
  return { uid, gid: numberIn(entry?.[3]) ?? 0, groups: supplementary, home };
}

function entriesOf(text: string): readonly (readonly string[])[] {
  return text.split("\n").map((line) => line.trim().split(":"));
}

function numberIn(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
  const number = Number(text);
  return number > MAXIMUM_ID ? undefined : number;
}
