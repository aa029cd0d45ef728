import { expect, test } from "bun:test";
import { basesOfAgents, type FoundImage, madeImages, purposeOf, supersededImages } from "../../src/plan/made-images.ts";

const hash = (digit: string) => digit.repeat(64);
const derived = (slug: string, digit: string) => `localhost/cooper/${slug}:${digit.repeat(12)}`;
const image = (id: string, changes: Partial<FoundImage> = {}): FoundImage => ({
  id,
  where: "docker",
  names: [],
  created: undefined,
  time: 0,
  size: 0,
  labels: { "dev.cooper.plan": hash(id) },
  layers: [],
  ...changes,
});
const agent = (name: string, version: string, base = "") => ({
  "dev.cooper.plan": hash("a"),
  "dev.cooper.agent": name,
  "dev.cooper.agent.version": version,
  "dev.cooper.agent.base": base,
});
const idsOf = (images: readonly FoundImage[]) => images.map(({ id }) => id);

test("an image's labels tell what it is for", () => {
  const plan = { "dev.cooper.plan": hash("1") };
  expect([
    purposeOf({ names: [], labels: { "devcontainer.metadata": "[]" } }),
    purposeOf({ names: [], labels: { ...plan, "devcontainer.metadata": "[]" } }),
    purposeOf({ names: [], labels: { ...agent("codex", "1.2.3"), "devcontainer.metadata": "[]" } }),
    purposeOf({ names: ["localhost/patchfoundry/py-1:latest"], labels: plan }),
    purposeOf({ names: ["patchfoundry/py-1:latest"], labels: plan }),
    purposeOf({ names: ["localhost/cooper/ocx-base:1"], labels: plan }),
  ]).toEqual([
    { kind: "image" },
    { kind: "dev-container" },
    { kind: "agent", agent: "codex", version: "1.2.3" },
    { kind: "profile", profile: "py-1" },
    { kind: "profile", profile: "py-1" },
    { kind: "base" },
  ]);
});

test("an image that somebody built on one of cooper's has its label, and is not cooper's", () => {
  const ours = image("1", { layers: ["a", "b"] });
  const theirs = image("2", { labels: ours.labels, layers: ["a", "b", "c"] });
  const other = image("3", { labels: ours.labels, layers: ["a", "x", "c"] });
  expect(idsOf(madeImages([theirs, ours, other, image("4", { labels: {} })]))).toEqual(["1", "3"]);
});

test("the newest of a derived name's images stays, and those that have no name any more go", () => {
  const images = [
    image("1", { names: [derived("app", "1")], time: 1 }),
    image("2", { names: [derived("app", "2")], time: 3 }),
    image("3", { names: [derived("app", "3")], time: 2 }),
    image("4", { names: [derived("other", "4")], time: 0 }),
    image("5"),
  ];
  expect(idsOf(supersededImages(images))).toEqual(["1", "3", "5"]);
});

test("of two that are equally old none is superseded", () => {
  const images = [image("1", { names: [derived("app", "1")] }), image("2", { names: [derived("app", "2")] })];
  expect(supersededImages(images)).toEqual([]);
});

test("a name that somebody gave is never superseded, nor does it supersede", () => {
  const images = [
    // Docker's time of an image is that of its last name.
    image("1", { names: [derived("app", "1"), "acme/app:1"], time: 5 }),
    image("2", { names: ["localhost/cooper/app:mine"], time: 9 }),
    image("3", { names: [derived("app", "3")], time: 2 }),
    image("4", { names: ["acme/app:2"], time: 3 }),
  ];
  expect(idsOf(supersededImages(images))).toEqual([]);
});

test("an agent's older version is superseded on the same base, in the same store", () => {
  const images = [
    image("1", { names: ["ocx-debian:1.0.0"], labels: agent("opencode", "1.0.0"), time: 1 }),
    image("2", { names: ["ocx-debian:1.1.0"], labels: agent("opencode", "1.1.0"), time: 2 }),
    image("3", { names: ["ocx-ubuntu:1.0.0"], labels: agent("opencode", "1.0.0"), time: 1 }),
    image("4", { names: ["ocx-debian:1.0.0"], labels: agent("opencode", "1.0.0"), where: "store" }),
  ];
  expect(idsOf(supersededImages(images))).toEqual(["1"]);
});

test("the bases of agents are found by what the agents' images say", () => {
  const images = [
    image("1", { names: ["localhost/ocx-app:1"], labels: agent("opencode", "1", "acme/app:1"), where: "podman" }),
    image("2", { names: ["localhost/acme/app:1"], where: "podman" }),
    image("3", { names: ["acme/app:1"], where: "docker" }),
    image("4", { names: ["localhost/ocx-codex:1"], labels: agent("codex", "1"), where: "podman" }),
    image("5", { names: [derived("ocx-base", "5")], where: "podman" }),
  ];
  expect(idsOf(basesOfAgents(images, undefined))).toEqual(["2", "5"]);
  expect(idsOf(basesOfAgents(images, "opencode"))).toEqual(["2"]);
  expect(idsOf(basesOfAgents(images, "codex"))).toEqual(["5"]);
});
