import { expect, test } from "bun:test";
import { readComposeModel } from "../../src/compose/compose-model.ts";
import { startedServices } from "../../src/compose/started-services.ts";

const MODEL = readComposeModel(
  JSON.stringify({
    services: {
      app: { depends_on: { db: { condition: "service_started" } } },
      cache: {},
      db: { depends_on: ["disk"] },
      debug: { profiles: ["debug", "all"], depends_on: { cache: {} } },
      disk: { profiles: ["storage"] },
      tools: { profiles: ["tools"] },
    },
  }),
);

const started = (wishes: { service?: string; runServices?: readonly string[]; profiles?: string }) =>
  startedServices(MODEL, { service: "app", runServices: [], profiles: undefined, ...wishes });

test("without a word all services run that no profile hides, and what they depend on", () => {
  expect(started({})).toEqual({ named: [], profiles: [], all: ["app", "cache", "db", "disk"] });
});

test("services that are named run with the dev container's own and what they depend on", () => {
  expect(started({ runServices: ["debug"] })).toEqual({
    named: ["debug", "app"],
    profiles: [],
    all: ["app", "cache", "db", "debug", "disk"],
  });
  expect(started({ runServices: ["app"] }).named).toEqual(["app"]);
});

test("the dev container's own profile is switched on beside those that are on", () => {
  expect(started({ service: "debug" })).toMatchObject({ profiles: ["debug"], named: [] });
  expect(started({ service: "debug", profiles: "tools" })).toEqual({
    named: [],
    profiles: ["tools", "debug"],
    all: ["app", "cache", "db", "debug", "disk", "tools"],
  });
});

test("a profile that is on already is not switched on again", () => {
  expect(started({ service: "debug", profiles: "x,all" }).profiles).toEqual([]);
  expect(started({ service: "debug", profiles: "*" })).toMatchObject({
    profiles: [],
    all: ["app", "cache", "db", "debug", "disk", "tools"],
  });
});

test("services that depend on each other end the search", () => {
  const model = readComposeModel('{"services": {"a": {"depends_on": ["b"]}, "b": {"depends_on": ["a", "gone"]}}}');
  expect(startedServices(model, { service: "a", runServices: ["a"], profiles: undefined }).all).toEqual(["a", "b"]);
});
