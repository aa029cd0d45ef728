/** Hands out so many slots at once, and lets so many wait for one. */
export interface Slots {
  /** Resolves to what gives the slot back, undefined when too many wait already; `onWait` is called before waiting. */
  readonly take: (onWait: () => void) => Promise<(() => void) | undefined>;
}

/** Slots in the order in which they are asked for. */
export function createSlots({ atOnce, waiting }: { readonly atOnce: number; readonly waiting: number }): Slots {
  let free = atOnce;
  const queue: (() => void)[] = [];
  const release = () => {
    const next = queue.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return {
    async take(onWait) {
      if (free > 0) {
        free -= 1;
        return release;
      }
      if (queue.length >= waiting) return undefined;
      onWait();
      const { promise, resolve } = Promise.withResolvers<void>();
      queue.push(resolve);
      await promise;
      return release;
    },
  };
}
