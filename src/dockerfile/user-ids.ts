import { UserError } from "../errors.ts";
import type { UserIdsStep } from "../plan/build-plan.ts";
import { quoteShell } from "./quote.ts";

/**
 * Lines of a script for root, to be run under `set -e`, that gives a user of the image its ids; what stands in the way (no such user,
 * the uid is another's) is said and changes nothing. POSIX sh with GNU's tools or busybox's; each line is whole commands. Only what had
 * the old ids changes owner. Throws UserError for a name that no user can have.
 */
export function userIdsScript({ user, uid, gid }: UserIdsStep): readonly string[] {
  return [
    `user=${quoteShell(checkedName(user))}`,
    `uid=${wholeNumber(uid)}`,
    `gid=${wholeNumber(gid)}`,
    ...FIND_IDS,
    ...DECIDE,
    ...CHANGE_OWNERS,
    ...rewrite("/etc/passwd", PASSWD_ENTRY),
    ...rewrite("/etc/group", GROUP_ENTRY),
  ];
}

const FIND_IDS = [
  `say () { printf '%s\\n' "$1"; }`,
  "found=; old_uid=; old_gid=; home=; uid_owner=; gid_owner=; name=; u=; g=; h=",
  `[ -f /etc/passwd ] && [ -f /etc/group ] || { say "No /etc/passwd: no ids are changed."; exit 0; }`,
  `while IFS=: read -r name _ u g _ h _ || [ -n "$name" ]; do ${[
    `if [ "$name" != "$user" ]; then if [ "$u" = "$uid" ]; then uid_owner=$name; fi`,
    `elif [ -z "$found" ]; then found=1; old_uid=$u; old_gid=$g; home=$h; fi`,
  ].join("; ")}; done </etc/passwd`,
  `while IFS=: read -r name _ g _ || [ -n "$name" ]; do if [ "$g" = "$gid" ]; then gid_owner=$name; fi; done </etc/group`,
];

const DECIDE = [
  `[ -n "$found" ] || { say "User $user is not in /etc/passwd: no ids are changed."; exit 0; }`,
  `[ "$old_uid" != 0 ] || { say "User $user is root by another name: no ids are changed."; exit 0; }`,
  `[ "$old_uid" = "$uid" ] || [ -z "$uid_owner" ] || { say "User $uid_owner has the uid $uid: $user keeps $old_uid."; exit 0; }`,
  // Root's group is not given away, and a gid that another group has does not become the user's.
  `if [ "$old_gid" != "$gid" ] && { [ -n "$gid_owner" ] || [ "$old_gid" = 0 ]; }; then say "User $user keeps the gid $old_gid."; gid=$old_gid; fi`,
  `[ "$old_uid:$old_gid" != "$uid:$gid" ] || { say "User $user has the ids $uid:$gid."; exit 0; }`,
  `say "User $user gets the ids $uid:$gid in place of $old_uid:$old_gid."`,
];

// Where there is no find there are GNU's tools, whose chown can look at the old owner by itself.
const CHANGE_OWNERS = [
  `case "$home" in /*) [ -d "$home" ] || home= ;; *) home= ;; esac`,
  `if [ -z "$home" ]; then :; elif command -v find >/dev/null; then ${[
    `[ "$uid" = "$old_uid" ] || find "$home/." -xdev -user "$old_uid" -exec chown -h "$uid" {} +`,
    `[ "$gid" = "$old_gid" ] || find "$home/." -xdev -group "$old_gid" -exec chgrp -h "$gid" {} +`,
  ].join("; ")}; else ${[
    `[ "$uid" = "$old_uid" ] || chown -R -h --from="$old_uid" "$uid" "$home/."`,
    `[ "$gid" = "$old_gid" ] || chown -R -h --from=":$old_gid" ":$gid" "$home/."`,
  ].join("; ")}; fi`,
];

const PASSWD_ENTRY = [
  `u=\${rest%%:*}; rest=\${rest#*:}; g=\${rest%%:*}`,
  `if [ "$name:$u:$g" = "$user:$old_uid:$old_gid" ]; then line="$name:$password:$uid:$gid:\${rest#*:}"; fi`,
];

const GROUP_ENTRY = [`g=\${rest%%:*}`, `if [ "$g" = "$old_gid" ]; then line="$name:$password:$gid:\${rest#*:}"; fi`];

/** Entries come out as they were read but for the ids; the file keeps its owner and mode. */
function rewrite(file: string, entry: readonly string[]): readonly string[] {
  const fields = [`name=\${line%%:*}; rest=\${line#*:}; password=\${rest%%:*}; rest=\${rest#*:}`, ...entry];
  return [
    `entries=$(while IFS= read -r line || [ -n "$line" ]; do ${fields.join("; ")}; say "$line"; done <${file})`,
    `say "$entries" >${file}`,
  ];
}

function checkedName(user: string): string {
  if (/^[^\s:/\p{Cc}]+$/u.test(user)) return user;
  throw new UserError(`The remote user ${JSON.stringify(user)} has a name that no user can have.`, {
    hint: 'Check "remoteUser" and "containerUser" in devcontainer.json and in the image\'s metadata.',
  });
}

function wholeNumber(id: number): string {
  if (Number.isSafeInteger(id) && id >= 0) return String(id);
  throw new TypeError(`A user's or group's id is a whole number, found ${id}.`);
}
