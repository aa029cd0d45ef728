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
