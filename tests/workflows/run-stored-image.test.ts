import { expect, test } from "bun:test";
import { commandOf } from "../../src/workflows/run-stored-image.ts";

const image = { entrypoint: ["/init", "--"], command: ["serve", "-v"] };
const asked = (command: readonly string[], entrypoint?: string) => commandOf({ command, entrypoint }, image);

test("without words the image's entrypoint gets the image's command", () => {
  expect(asked([])).toEqual(["/init", "--", "serve", "-v"]);
});

test("words take the place of the image's command", () => {
  expect(asked(["sh", "-c", "exit 3"])).toEqual(["/init", "--", "sh", "-c", "exit 3"]);
});

test("another entrypoint drops the image's command with its entrypoint", () => {
  expect(asked([], "/bin/ls")).toEqual(["/bin/ls"]);
  expect(asked(["-l"], "/bin/ls")).toEqual(["/bin/ls", "-l"]);
});

test("an empty entrypoint leaves the words alone, and without words nothing", () => {
  expect(asked(["id"], "")).toEqual(["id"]);
  expect(asked([], "")).toEqual([]);
});
