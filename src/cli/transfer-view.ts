import { formatSize } from "../host/format-size.ts";
import type { Terminal } from "../host/terminal.ts";
import { createTransferRate, renderBar } from "../host/transfer-rate.ts";
import type { Digest } from "../oci/digest.ts";
import type { TransferObserver } from "../oci/transfer-image.ts";

/** How far a transfer has come. */
export type TransferState = {
  readonly blobs: number;
  readonly doneBlobs: number;
  readonly size: number;
  readonly doneSize: number;
  /** Bytes a second over the last moments. */
  readonly rate: number;
};

const redrawEvery = 100;

/** One line that shows how far a transfer has come, at most so many columns wide. */
export function renderTransfer(state: TransferState, columns: number): string {
  const { blobs, doneBlobs, size, doneSize, rate } = state;
  const share = size === 0 ? 1 : Math.min(doneSize / size, 1);
  const amounts = `${formatSize(doneSize)} of ${formatSize(size)}, ${formatSize(Math.round(rate))}/s`;
  const line = `${renderBar(share)} ${amounts}, ${doneBlobs} of ${blobs} blobs`;
  return line.length < columns ? line : amounts.slice(0, Math.max(columns - 1, 0));
}

/** Shows a transfer on a live terminal; `end` takes the line away. Where nothing is live it shows nothing. */
export function createTransferView(
  terminal: Terminal,
  { isShown, now }: { isShown: boolean; now: () => number },
): TransferObserver & { readonly end: () => void } {
  const passed = new Map<Digest, { size: number; bytes: number; done: boolean }>();
  const rateOf = createTransferRate();
  let sent = 0;
  let drawn = Number.NEGATIVE_INFINITY;

  function draw(): void {
    const at = now();
    if (!isShown || at - drawn < redrawEvery) return;
    drawn = at;
    const rate = rateOf(sent, at);
    const all = [...passed.values()];
    const state: TransferState = {
      blobs: all.length,
      doneBlobs: all.filter(({ done }) => done).length,
      size: all.reduce((sum, blob) => sum + blob.size, 0),
      doneSize: all.reduce((sum, { done, size, bytes }) => sum + (done ? size : Math.min(bytes, size)), 0),
      rate,
    };
    terminal.writeMessage(`\r\u001b[K${renderTransfer(state, terminal.columns())}`);
  }

  return {
    found: (blobs) => {
      for (const { digest, size } of blobs) passed.set(digest, { size, bytes: 0, done: false });
      draw();
    },
    passed: ({ digest }, bytes) => {
      const blob = passed.get(digest);
      if (blob !== undefined) blob.bytes += bytes;
      sent += bytes;
      draw();
    },
    done: ({ digest }) => {
      const blob = passed.get(digest);
      if (blob !== undefined) blob.done = true;
      draw();
    },
    end: () => {
      if (isShown && drawn !== Number.NEGATIVE_INFINITY) terminal.writeMessage("\r\u001b[K");
    },
  };
}
