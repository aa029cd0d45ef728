/** An image, or a step that a build can take up again, and what is kept for it. */
export interface RetainedItem {
  readonly kind: "image" | "step";
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly lastUsed: number;
  /** Bytes of everything that it needs, by what that is called; items may need the same. */
  readonly parts: ReadonlyMap<string, number>;
}

/** What is to go. */
export type RetentionRule =
  /** These images, and the steps that are part of no image that stays. */
  | { readonly kind: "superseded"; readonly images: ReadonlySet<string> }
  /** What was not used since a time, and the least recently used until so many bytes are left. */
  | { readonly kind: "unused"; readonly usedBefore: number | undefined; readonly keepSize: number | undefined };

/** The items that go. A step that is part of an image that stays costs nothing, and stays. */
export function chooseRemovals(items: readonly RetainedItem[], rule: RetentionRule): readonly RetainedItem[] {
  const oldestFirst = items.toSorted((left, right) => left.lastUsed - right.lastUsed || (left.id < right.id ? -1 : 1));
  switch (rule.kind) {
    case "superseded": {
      const staying = oldestFirst.filter((item) => item.kind === "step" || !rule.images.has(item.id));
      return without(
        oldestFirst,
        withoutSteps(staying, () => true),
      );
    }
    case "unused": {
      const { usedBefore = Number.NEGATIVE_INFINITY, keepSize = Number.POSITIVE_INFINITY } = rule;
      const isOld = ({ lastUsed }: RetainedItem) => lastUsed < usedBefore;
      const staying = oldestFirst.filter((item) => item.kind === "step" || !isOld(item));
      return without(oldestFirst, shrink(withoutSteps(staying, isOld), keepSize));
    }
  }
}

/** Bytes of what the items need together. */
export function sizeOf(items: readonly RetainedItem[]): number {
  const parts = new Map(items.flatMap((item) => [...item.parts]));
  return [...parts.values()].reduce((sum, size) => sum + size, 0);
}

function shrink(oldestFirst: readonly RetainedItem[], keepSize: number): readonly RetainedItem[] {
  let staying = oldestFirst;
  while (sizeOf(staying) > keepSize) {
    const needed = partsOfImages(staying);
    const next = staying.find((item) => item.kind === "image" || !isPartOf(item, needed));
    if (next === undefined) break;
    staying = without(staying, [next]);
  }
  return staying;
}

/** Takes away the steps that `isWanted` names, if no image has them. */
function withoutSteps(
  items: readonly RetainedItem[],
  isWanted: (item: RetainedItem) => boolean,
): readonly RetainedItem[] {
  const needed = partsOfImages(items);
  return items.filter((item) => item.kind === "image" || isPartOf(item, needed) || !isWanted(item));
}

function partsOfImages(items: readonly RetainedItem[]): ReadonlySet<string> {
  return new Set(items.flatMap((item) => (item.kind === "image" ? [...item.parts.keys()] : [])));
}

function isPartOf(item: RetainedItem, parts: ReadonlySet<string>): boolean {
  return [...item.parts.keys()].every((part) => parts.has(part));
}

function without(items: readonly RetainedItem[], others: readonly RetainedItem[]): readonly RetainedItem[] {
  const left = new Set(others);
  return items.filter((item) => !left.has(item));
}
