import { expect, test } from "bun:test";
import { decideUserIds, type UserIdsWish } from "../../src/plan/user-ids.ts";

const wish: UserIdsWish = { byDefault: "on", host: { platform: "linux", uid: 501, gid: 502 } };
const said = { configured: undefined, user: "vscode" };
const ids = { user: "vscode", uid: 501, gid: 502 };

test("on Linux a named user gets the host user's ids", () => {
  expect(decideUserIds(wish, said)).toEqual(ids);
});

test("the configuration counts before the default, and never before both", () => {
  const table = (["on", "off", "never"] as const).map((byDefault) =>
    [undefined, true, false].map(
      (configured) => decideUserIds({ ...wish, byDefault }, { ...said, configured }) !== undefined,
    ),
  );
  expect(table).toEqual([
    [true, true, false],
    [false, true, false],
    [false, false, false],
  ]);
});

test("neither on another host, nor for root on the host", () => {
  for (const host of [
    { ...wish.host, platform: "darwin" },
    { ...wish.host, uid: 0 },
  ])
    expect(decideUserIds({ ...wish, host }, { ...said, configured: true })).toBeUndefined();
});

test("neither root in the container, nor a user that has a number and no name", () => {
  for (const user of ["root", "1000"]) expect(decideUserIds(wish, { user, configured: true })).toBeUndefined();
});
