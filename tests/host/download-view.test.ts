import { expect, test } from "bun:test";
import { createDownloadView, renderDownload } from "../../src/host/download-view.ts";
import { recordingTools } from "../fakes/recording-tools.ts";

const state = { title: "opencode 1.2.3 for x64", size: 185_000_000, bytes: 54_000_000, rate: 5_200_000 };

test("the line tells bytes, rate and what it is, as far as there is room", () => {
  expect(renderDownload(state, 100)).toBe(
    "███████░░░░░░░░░░░░░░░░░ 54.0 MB of 185.0 MB, 5.2 MB/s, opencode 1.2.3 for x64",
  );
  expect(renderDownload(state, 60)).toBe("54.0 MB of 185.0 MB, 5.2 MB/s, opencode 1.2.3 for x64");
  expect(renderDownload(state, 40)).toBe("54.0 MB of 185.0 MB, 5.2 MB/s");
  expect(renderDownload(state, 11)).toBe("54.0 MB of");
  expect(renderDownload({ ...state, size: undefined }, 100)).toBe("54.0 MB, 5.2 MB/s, opencode 1.2.3 for x64");
});

test("a live terminal gets one line drawn again, which is gone at the end", () => {
  const { tools, messages } = recordingTools("/nowhere", { messagesAreLive: true });
  let time = 0;
  const view = createDownloadView(tools, { title: "a", size: 4000, live: true, now: () => time });
  view.passed(1000);
  time = 50;
  view.passed(500);
  time = 1000;
  view.passed(500);
  time = 2000;
  view.passed(2000);
  view.done();
  view.end();
  expect(messages).toEqual([
    "\r\u001b[K██████░░░░░░░░░░░░░░░░░░ 1.0 kB of 4.0 kB, 0 B/s, a",
    "\r\u001b[K████████████░░░░░░░░░░░░ 2.0 kB of 4.0 kB, 1.0 kB/s, a",
    "\r\u001b[K████████████████████████ 4.0 kB of 4.0 kB, 1.5 kB/s, a",
    "\r\u001b[K",
    "Downloaded a: 4.0 kB in 2.0 s, 2.0 kB/s\n",
  ]);
});

test("elsewhere there is a line at the start, every ten seconds and at the end, and no control characters", () => {
  const { tools, messages } = recordingTools("/nowhere");
  let time = 0;
  const view = createDownloadView(tools, { title: "a", size: 30_000, live: false, now: () => time });
  for (time = 1000; time <= 12_000; time += 1000) view.passed(1000);
  view.end();
  expect(messages).toEqual(["Download: a, 30.0 kB\n", "10.0 kB of 30.0 kB, 1.0 kB/s, a\n"]);
});
