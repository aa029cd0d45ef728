import { expect, test } from "bun:test";
import { choosesUserNamespace, mapsIds, userOfRunArgs, workingUser } from "../../src/plan/run-args.ts";

test("the user of runArgs is found in every way of writing it, the last one counts", () => {
  for (const [runArgs, user] of [
    [["-u", "a"], "a"],
    [["--user", "a:b"], "a:b"],
    [["--user=a"], "a"],
    [["-u=a"], "a"],
    [["-ua"], "a"],
    [["-u", "a", "--init", "--user=b"], "b"],
    [["-u"], undefined],
    [["--userns=host", "--ulimit", "nofile=1"], undefined],
    [[], undefined],
  ] as const) {
    expect({ runArgs, user: userOfRunArgs(runArgs) }).toEqual({ runArgs, user });
  }
});

test("mappings of users and groups are seen, and only those", () => {
  for (const arg of ["--uidmap", "--gidmap", "--uidmap=0:1:1"]) expect(mapsIds(["-x", arg])).toBe(true);
  expect(mapsIds(["--uidmapping", "--userns=keep-id", "uidmap"])).toBe(false);
  expect(choosesUserNamespace(["--userns=host"])).toBe(true);
  expect(choosesUserNamespace(["--userns", "host"])).toBe(true);
  expect(choosesUserNamespace(["--user=host"])).toBe(false);
});

test("the working user is remoteUser, then that of runArgs, then containerUser, then the image's", () => {
  const said = { remoteUser: "a", runArgs: ["-u", "b"], containerUser: "c", imageUser: "d" };
  expect(workingUser(said)).toBe("a");
  expect(workingUser({ ...said, remoteUser: undefined })).toBe("b");
  expect(workingUser({ ...said, remoteUser: undefined, runArgs: [] })).toBe("c");
  expect(workingUser({ remoteUser: undefined, runArgs: [], containerUser: undefined, imageUser: "d" })).toBe("d");
});

test("a group is no part of the user, and no user or 0 is root", () => {
  const imageUser = (text: string) =>
    workingUser({ remoteUser: undefined, runArgs: [], containerUser: undefined, imageUser: text });
  expect(["vscode:users", "1000:1000", "", "0", "0:0", "root"].map(imageUser)).toEqual([
    "vscode",
    "1000",
    "root",
    "root",
    "root",
    "root",
  ]);
});
