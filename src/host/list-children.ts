import { type Dirent, readdirSync } from "node:fs";
import { hiddenName, mayBeWhiteout } from "./overlay-marks.ts";
import { unreadable } from "./read-failure.ts";

/** What a directory has, in the order of the names' bytes; of an overlay's upper directory, what is deleted comes first. */
export function listChildren(directory: string, { isUpper }: { isUpper: boolean }): Dirent[] {
  let children: Dirent[];
  try {
    children = readdirSync(directory, { withFileTypes: true });
  } catch (cause) {
    throw unreadable(directory, cause);
  }
  // UTF-16 order is the order of UTF-8 bytes but for surrogates.
  const plain = !children.some(({ name }) => /[\ud800-\udfff]/.test(name));
  const compare = (left: string, right: string) => {
    if (!plain) return Buffer.compare(Buffer.from(left), Buffer.from(right));
    return left < right ? -1 : left > right ? 1 : 0;
  };
  if (!isUpper) return children.sort((left, right) => compare(left.name, right.name));
  // So that the order is the same however a deletion is marked.
  const marks = children.filter(mayBeWhiteout).sort((a, b) => compare(hiddenName(a.name), hiddenName(b.name)));
  const others = children.filter((child) => !mayBeWhiteout(child)).sort((a, b) => compare(a.name, b.name));
  return [...marks, ...others];
}
