import type { Remedy } from "./check.ts";
import { asRoot, type Machine } from "./machine.ts";

/** How many ids a container needs: most images have files of users up to 65534. */
export const SUBORDINATE_IDS = 65536;

interface IdOwner {
  readonly name: string;
  readonly id: number;
}

/** Whether a file like /etc/subuid gives a user as many ids as containers need beside its own; null is an absent file. */
export function hasSubordinateIds(text: string | null, user: IdOwner): boolean {
  return fittingRange(text, user) !== undefined;
}

/** The first range of a file like /etc/subuid that gives a user as many ids as containers need, and whether a smaller one comes before. */
export function fittingRange(
  text: string | null,
  { name, id }: IdOwner,
): { readonly start: number; readonly size: number; readonly isFirst: boolean } | undefined {
  const own = subordinateRanges(text).filter(({ owner }) => owner === name || owner === String(id));
  const range = own.find(({ size }) => size >= SUBORDINATE_IDS - 1);
  return range === undefined ? undefined : { start: range.start, size: range.size, isFirst: range === own[0] };
}

/** What a file like /etc/subuid gives to whom. */
export function subordinateRanges(text: string | null): { owner: string; start: number; size: number }[] {
  return (text ?? "").split("\n").flatMap((line) => {
    const match = /^([^:#]+):(\d+):(\d+)$/.exec(line.trim());
    return match === null ? [] : [{ owner: match[1] ?? "", start: Number(match[2]), size: Number(match[3]) }];
  });
}

const FIRST_SUBORDINATE_ID = 100_000;

/** Gives the user a range that nobody has in either of the files, given as text. */
export function rangeRemedy(
  files: { readonly subordinateUsers: string | null; readonly subordinateGroups: string | null },
  machine: Machine,
): Remedy {
  const ranges = [...subordinateRanges(files.subordinateUsers), ...subordinateRanges(files.subordinateGroups)];
  const start = Math.max(FIRST_SUBORDINATE_ID, ...ranges.map((range) => range.start + range.size));
  const range = `${start}-${start + SUBORDINATE_IDS - 1}`;
  const command = `usermod --add-subuids ${range} --add-subgids ${range} ${machine.user.name}`;
  return { text: "Give them to the user:", commands: [asRoot(machine, command)] };
}
