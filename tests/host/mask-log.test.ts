import { expect, test } from "bun:test";
import type { Log } from "../../src/host/log.ts";
import { createMask, maskLog } from "../../src/host/mask-log.ts";

function recordingLog() {
  const said: string[] = [];
  const say = (kind: string) => (text: string) => {
    said.push(`${kind} ${text}`);
  };
  const log: Log = {
    error: say("error"),
    warning: say("warning"),
    info: say("info"),
    debug: say("debug"),
    trace: say("trace"),
    raw: say("raw"),
    start: (text) => {
      said.push(`start ${text}`);
      return () => said.push(`stop ${text}`);
    },
    progress: (name, status, detail) => {
      said.push(`progress ${name} ${status} ${detail}`);
    },
  };
  return { said, log };
}

test("every kind of event is masked, and a step's detail", () => {
  const { said, log } = recordingLog();
  const masked = maskLog(log, ["container", "Cycle"]);
  masked.error("Starting container");
  masked.trace("LifeCycleCommandExecutionMap: ");
  masked.start("Run: container")();
  masked.progress("Running x...", "running", "a container");
  masked.progress("Running x...", "succeeded");
  expect(said).toEqual([
    "error Starting ********",
    "trace Life********CommandExecutionMap: ",
    "start Run: ********",
    "stop Run: ********",
    "progress Running x... running a ********",
    "progress Running x... succeeded undefined",
  ]);
});

test("of secrets within secrets the longest is hidden whole", () => {
  expect(createMask(["pass", "passphrase"])("the passphrase, the pass")).toBe("the ********, the ********");
});

test("secrets that overlap leave nothing of either", () => {
  expect(createMask(["abc", "cde"])("<abcde>")).toBe("<********>");
  expect(createMask(["aa"])("<aaa>")).toBe("<********>");
});

test("values without a visible character hide nothing", () => {
  expect(createMask(["", " ", "\n"])("a b\n")).toBe("a b\n");
});

test("a value is found without the line break that it ends with, and line by line", () => {
  const mask = createMask(["first-line\nlast-line\n", "token\n"]);
  expect(mask("token")).toBe("********");
  expect(mask("> first-line\n> last-line")).toBe("> ********\n> ********");
});

test("a secret is hidden wherever output cuts it in two", () => {
  const secret = "s3cr3t-s3cr3t!";
  const output = `before ${secret} after`;
  for (let cut = 0; cut <= output.length; cut += 1) {
    const { said, log } = recordingLog();
    const masked = maskLog(log, [secret]);
    masked.raw(output.slice(0, cut));
    masked.raw(output.slice(cut));
    masked.info("done");
    expect(said.map((line) => line.replace(/^raw /, "")).join("")).toBe("before ******** afterinfo done");
  }
});

test("a secret that comes byte by byte is hidden", () => {
  const { said, log } = recordingLog();
  const masked = maskLog(log, ["abcabd"]);
  for (const character of "xabcabcabdy") masked.raw(character);
  masked.info("done");
  expect(said.map((line) => line.replace(/^raw /, "")).join("")).toBe("xabc********yinfo done");
});

test("output that could be the beginning of a secret comes before what is said next", () => {
  const { said, log } = recordingLog();
  const masked = maskLog(log, ["secret"]);
  masked.raw("sec");
  expect(said).toEqual([]);
  masked.info("next");
  expect(said).toEqual(["raw sec", "info next"]);
});

test("without secrets the log is as it was", () => {
  const { log } = recordingLog();
  expect(maskLog(log, ["", ""])).toBe(log);
});
