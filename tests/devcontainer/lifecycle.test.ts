import { expect, test } from "bun:test";
import {
  failedText,
  hookCommands,
  hookNames,
  type LifecycleStep,
  type LifecycleWishes,
  planLifecycle,
  runningText,
} from "../../src/devcontainer/lifecycle.ts";
import type { MetadataEntry } from "../../src/devcontainer/metadata-label.ts";

const ENTRIES: MetadataEntry[] = [
  { onCreateCommand: "image", remoteUser: "vscode" },
  { id: "ghcr.io/acme/tool:1", onCreateCommand: ["tool", "setup"], postAttachCommand: "hello" },
  { postStartCommand: { server: "npm start", "": ["watch"] }, onCreateCommand: "own" },
  { remoteEnv: { A: "1" } },
];

const titles = (steps: readonly LifecycleStep[]) => steps.map((step) => (step.kind === "hook" ? step.hook : step.kind));
const outline = (wishes: LifecycleWishes) => {
  const { steps, result } = planLifecycle(ENTRIES, wishes);
  return [...titles(steps), result].join(" ").replaceAll("Command", "");
};
const runs = (entries: readonly MetadataEntry[]) =>
  planLifecycle(entries, {}).steps.flatMap((step) => (step.kind === "hook" ? step.runs : []));

test("hooks run in order, dotfiles between creation and start", () => {
  expect(outline({})).toBe("onCreate updateContent postCreate dotfiles postStart postAttach done");
});

for (const [what, wishes, wanted] of [
  ["nothing", { skipPostCreate: true }, "done"],
  ["all but postAttach", { skipPostAttach: true }, "onCreate updateContent postCreate dotfiles postStart done"],
  ["what blocks by default", { skipNonBlocking: true }, "onCreate updateContent skipNonBlocking"],
  [
    "no hook when only initializeCommand blocks",
    { skipNonBlocking: true, waitFor: "initializeCommand" },
    "skipNonBlocking",
  ],
  ["up to onCreate", { skipNonBlocking: true, waitFor: "onCreateCommand" }, "onCreate skipNonBlocking"],
  [
    "no dotfiles when postCreate is the last that blocks",
    { skipNonBlocking: true, waitFor: "postCreateCommand" },
    "onCreate updateContent postCreate skipNonBlocking",
  ],
  [
    "up to postStart",
    { skipNonBlocking: true, waitFor: "postStartCommand" },
    "onCreate updateContent postCreate dotfiles postStart skipNonBlocking",
  ],
  [
    "everything when postAttach blocks",
    { skipNonBlocking: true, waitFor: "postAttachCommand" },
    "onCreate updateContent postCreate dotfiles postStart postAttach done",
  ],
  ["what a prebuild needs", { prebuild: true }, "onCreate updateContent prebuild"],
  [
    "a prebuild that does not wait",
    { prebuild: true, skipNonBlocking: true },
    "onCreate updateContent skipNonBlocking",
  ],
  [
    "a prebuild that waits for more than it runs",
    { prebuild: true, skipNonBlocking: true, waitFor: "postCreateCommand" },
    "onCreate updateContent prebuild",
  ],
  [
    "everything up to the start for personalization",
    { stopForPersonalization: true },
    "onCreate updateContent postCreate dotfiles stopForPersonalization",
  ],
  ["waitFor alone changes nothing", { waitFor: "onCreateCommand" }, outline({})],
] as const) {
  test(`runs ${what}: ${JSON.stringify(wishes)}`, () => {
    expect(outline(wishes)).toBe(wanted);
  });
}

test("only a prebuild updates content again", () => {
  const again = (wishes: LifecycleWishes) =>
    planLifecycle([], wishes).steps.flatMap((step) => (step.kind === "hook" && step.again ? [step.hook] : []));
  expect(again({})).toEqual([]);
  expect(again({ prebuild: true })).toEqual(["updateContentCommand"]);
});

test("creation's hooks are marked by the container's creation, the start's by its start, attaching's not at all", () => {
  const markers = planLifecycle([], {}).steps.map((step) => (step.kind === "hook" ? step.marker : step.kind));
  expect(markers).toEqual([
    { file: ".onCreateCommandMarker", content: "created" },
    { file: ".updateContentCommandMarker", content: "created" },
    { file: ".postCreateCommandMarker", content: "created" },
    "dotfiles",
    { file: ".postStartCommandMarker", content: "startedAt" },
    undefined,
  ]);
});

test("origins run in the order of the metadata, each named", () => {
  expect(runs(ENTRIES)).toEqual([
    { hook: "onCreateCommand", origin: "the image", commands: [{ name: undefined, argv: ["/bin/sh", "-c", "image"] }] },
    {
      hook: "onCreateCommand",
      origin: "Feature 'ghcr.io/acme/tool:1'",
      commands: [{ name: undefined, argv: ["tool", "setup"] }],
    },
    {
      hook: "onCreateCommand",
      origin: "devcontainer.json",
      commands: [{ name: undefined, argv: ["/bin/sh", "-c", "own"] }],
    },
    {
      hook: "postStartCommand",
      origin: "devcontainer.json",
      commands: [
        { name: "server", argv: ["/bin/sh", "-c", "npm start"] },
        { name: "", argv: ["watch"] },
      ],
    },
    {
      hook: "postAttachCommand",
      origin: "Feature 'ghcr.io/acme/tool:1'",
      commands: [{ name: undefined, argv: ["/bin/sh", "-c", "hello"] }],
    },
  ]);
});

test("an empty command in any form is none", () => {
  for (const empty of [undefined, "", [], {}, { a: "", b: [] }]) expect(hookCommands(empty)).toEqual([]);
  expect(runs(hookNames.map((hook) => ({ [hook]: "" })))).toEqual([]);
});

test("texts name the hook, its origin and, among several, the command", () => {
  const run = { hook: "postCreateCommand", origin: "Feature './x'", commands: [] } as const;
  expect(runningText(run, { name: undefined, argv: [] })).toBe("Running the postCreateCommand from Feature './x'...");
  expect(runningText(run, { name: "db", argv: [] })).toBe("Running db of postCreateCommand from Feature './x'...");
  expect(failedText(run)).toBe("postCreateCommand from Feature './x' failed.");
});
