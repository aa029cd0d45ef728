import { formatName, formatReference, type ImageReference } from "./reference.ts";

/** References of one repository; at least one. */
export type RepositoryGroup = readonly [ImageReference, ...ImageReference[]];

/** The references by the repository they are in, in the order given, each once. */
export function groupByRepository(references: readonly ImageReference[]): readonly RepositoryGroup[] {
  const groups = new Map<string, [ImageReference, ...ImageReference[]]>();
  for (const reference of references) {
    const key = formatName(reference);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [reference]);
    else if (!group.some((other) => formatReference(other) === formatReference(reference))) group.push(reference);
  }
  return [...groups.values()];
}
