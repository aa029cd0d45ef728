import { expect, test } from "bun:test";
import { createTransferView, renderTransfer } from "../../src/cli/transfer-view.ts";
import { sha256Of } from "../../src/oci/digest.ts";
import { recordingTools } from "../fakes/recording-tools.ts";

const state = { blobs: 5, doneBlobs: 2, size: 40_000_000, doneSize: 10_000_000, rate: 2_500_000 };

test("the line tells bytes, rate and blobs", () => {
  expect(renderTransfer(state, 100)).toBe("██████░░░░░░░░░░░░░░░░░░ 10.0 MB of 40.0 MB, 2.5 MB/s, 2 of 5 blobs");
});

test("a narrow terminal gets the amounts, or what fits of them", () => {
  expect(renderTransfer(state, 50)).toBe("10.0 MB of 40.0 MB, 2.5 MB/s");
  expect(renderTransfer(state, 11)).toBe("10.0 MB of");
});

test("nothing to send is all sent", () => {
  expect(renderTransfer({ ...state, size: 0, doneSize: 0 }, 100)).toStartWith("████████████████████████ 0 B of 0 B");
});

const blob = (name: string, size: number) => ({ mediaType: "a/b", digest: sha256Of(name), size, annotations: {} });

test("a live view counts what was spared as done, and no blob for more than it has", () => {
  const { tools, messages } = recordingTools("/nowhere", { messagesAreLive: true });
  let time = 0;
  const view = createTransferView(tools.terminal, { isShown: true, now: () => time });
  const [first, second] = [blob("first", 1000), blob("second", 3000)];
  view.found([first, second]);
  time = 1000;
  view.passed(first, 700);
  // The upload broke off and was begun again.
  time = 2000;
  view.passed(first, 1000);
  time = 2010;
  view.done(first);
  time = 3000;
  view.done(second);
  view.end();
  expect(messages.map((line) => Bun.stripANSI(line).replace("\r", ""))).toEqual([
    "░░░░░░░░░░░░░░░░░░░░░░░░ 0 B of 4.0 kB, 0 B/s, 0 of 2 blobs",
    "████░░░░░░░░░░░░░░░░░░░░ 700 B of 4.0 kB, 700 B/s, 0 of 2 blobs",
    "██████░░░░░░░░░░░░░░░░░░ 1.0 kB of 4.0 kB, 850 B/s, 0 of 2 blobs",
    "████████████████████████ 4.0 kB of 4.0 kB, 500 B/s, 2 of 2 blobs",
    "",
  ]);
});

test("what is not shown writes nothing", () => {
  const { tools, messages } = recordingTools("/nowhere");
  const view = createTransferView(tools.terminal, { isShown: false, now: () => 0 });
  view.found([blob("first", 1000)]);
  view.end();
  expect(messages).toEqual([]);
});
