const windowSize = 2000;

/** Tells the bytes a second over the last moments, given how many have passed in all; `now` in milliseconds. */
export function createTransferRate(): (bytes: number, now: number) => number {
  let samples: { at: number; bytes: number }[] = [];
  return (bytes, now) => {
    samples = [...samples.filter((sample) => now - sample.at <= windowSize), { at: now, bytes }];
    const [first = { at: now, bytes }] = samples;
    return now === first.at ? 0 : ((bytes - first.bytes) * 1000) / (now - first.at);
  };
}

/** A bar that is filled to a share of 0 to 1. */
export function renderBar(share: number): string {
  const width = 24;
  const filled = Math.floor(Math.min(Math.max(share, 0), 1) * width);
  return `${"█".repeat(filled)}${"░".repeat(width - filled)}`;
}
