/** How many ids a container needs: most images have files of users up to 65534. */
export const SUBORDINATE_IDS = 65536;

/** Whether a file like /etc/subuid gives a user as many ids as containers need beside its own; null is an absent file. */
export function hasSubordinateIds(text: string | null, user: { readonly name: string; readonly id: number }): boolean {
  return subordinateRanges(text).some(
    ({ owner, size }) => size >= SUBORDINATE_IDS - 1 && (owner === user.name || owner === String(user.id)),
  );
}

/** What a file like /etc/subuid gives to whom. */
export function subordinateRanges(text: string | null): { owner: string; start: number; size: number }[] {
  return (text ?? "").split("\n").flatMap((line) => {
    const match = /^([^:#]+):(\d+):(\d+)$/.exec(line.trim());
    return match === null ? [] : [{ owner: match[1] ?? "", start: Number(match[2]), size: Number(match[3]) }];
  });
}
