import { expect, test } from "bun:test";
import { cacheDirectory, configDirectory, stateDirectory } from "../../src/store/directories.ts";

const homeDirectory = "/home/ada";

test("cooper's directories are under the home directory when the environment says nothing", () => {
  const source = { environment: {}, homeDirectory };
  expect(cacheDirectory(source)).toBe("/home/ada/.cache/cooper");
  expect(stateDirectory(source)).toBe("/home/ada/.local/state/cooper");
  expect(configDirectory(source)).toBe("/home/ada/.config/cooper");
});

test("the XDG variables move cooper's directories", () => {
  const environment = { XDG_CACHE_HOME: "/c", XDG_STATE_HOME: "/s", XDG_CONFIG_HOME: "/f" };
  const source = { environment, homeDirectory };
  expect([cacheDirectory(source), stateDirectory(source), configDirectory(source)]).toEqual([
    "/c/cooper",
    "/s/cooper",
    "/f/cooper",
  ]);
});

test("an empty or relative XDG variable counts as unset, as its specification says", () => {
  for (const XDG_CACHE_HOME of ["", "relative/cache"]) {
    expect(cacheDirectory({ environment: { XDG_CACHE_HOME }, homeDirectory })).toBe("/home/ada/.cache/cooper");
  }
});
