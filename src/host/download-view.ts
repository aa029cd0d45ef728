import { formatSize } from "./format-size.ts";
import type { Log } from "./log.ts";
import type { Terminal } from "./terminal.ts";
import { createTransferRate, renderBar } from "./transfer-rate.ts";

/** A download as it is shown: told of every chunk, and of its end. */
export interface DownloadView {
  readonly passed: (bytes: number) => void;
  /** Says that all has come. */
  readonly done: () => void;
  /** Takes away what is on the terminal for the time being; harmless after `done`. */
  readonly end: () => void;
}

/** What is downloaded, and where that is shown. */
export interface DownloadViewOptions {
  readonly title: string;
  /** In bytes, where it is known. */
  readonly size: number | undefined;
  /** Whether the terminal takes a line that is drawn again and again. */
  readonly live: boolean;
  /** Milliseconds. */
  readonly now: () => number;
}

const redrawEvery = 100;
const tellEvery = 10_000;

/** Shows a download as one line with its rate on a live terminal, else as a line at its start, every ten seconds, and at its end. */
export function createDownloadView(
  { terminal, log }: { readonly terminal: Terminal; readonly log: Log },
  { title, size, live, now }: DownloadViewOptions,
): DownloadView {
  const rateOf = createTransferRate();
  const began = now();
  let bytes = 0;
  let drawn = live ? Number.NEGATIVE_INFINITY : began;
  let isShown = false;
  if (!live) log.info(`Download: ${title}${size === undefined ? "" : `, ${formatSize(size)}`}`);
  return {
    passed: (count) => {
      bytes += count;
      const at = now();
      const rate = rateOf(bytes, at);
      if (at - drawn < (live ? redrawEvery : tellEvery)) return;
      drawn = at;
      const state = { title, size, bytes, rate };
      if (!live) log.info(renderDownload(state, undefined));
      else terminal.writeMessage(`\r\u001b[K${renderDownload(state, terminal.columns())}`);
      isShown = live;
    },
    done: () => {
      if (isShown) terminal.writeMessage("\r\u001b[K");
      isShown = false;
      const seconds = Math.max(now() - began, 1) / 1000;
      const rate = formatSize(Math.round(bytes / seconds));
      log.info(`Downloaded ${title}: ${formatSize(bytes)} in ${seconds.toFixed(1)} s, ${rate}/s`);
    },
    end: () => {
      if (isShown) terminal.writeMessage("\r\u001b[K");
      isShown = false;
    },
  };
}

/** How far a download has come. */
export interface DownloadState {
  readonly title: string;
  readonly size: number | undefined;
  readonly bytes: number;
  /** Bytes a second. */
  readonly rate: number;
}

/** One line that shows how far a download has come; with a bar, and at most so many columns wide, where there are columns. */
export function renderDownload({ title, size, bytes, rate }: DownloadState, columns: number | undefined): string {
  const of = size === undefined ? "" : ` of ${formatSize(size)}`;
  const amounts = `${formatSize(bytes)}${of}, ${formatSize(Math.round(rate))}/s`;
  const line = `${amounts}, ${title}`;
  if (columns === undefined) return line;
  const full = size === undefined || size === 0 ? line : `${renderBar(bytes / size)} ${line}`;
  const fitting = [full, line, amounts].find((text) => text.length < columns);
  return fitting ?? amounts.slice(0, Math.max(columns - 1, 0));
}
