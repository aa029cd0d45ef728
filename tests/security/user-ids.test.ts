import { expect, test } from "bun:test";
import { userIdsScript } from "../../src/dockerfile/user-ids.ts";

test("a remote user's name is a word to the shell, whatever it is made of", async () => {
  for (const user of ["$(echo pwned)", "`id`", "a'b", '"; exit 3; "', "-n", "(", "!", "a\\"]) {
    const [assignment = ""] = userIdsScript({ kind: "user-ids", user: user.replaceAll(/\s/g, ""), uid: 1, gid: 1 });
    const child = Bun.spawn(["/bin/sh", "-c", `${assignment}; printf %s "$user"`], { stdout: "pipe" });
    expect(await child.stdout.text()).toBe(user.replaceAll(/\s/g, ""));
  }
});

test("a name that would end the instruction or the entry of passwd is refused", () => {
  for (const user of ["a\nRUN evil", "a\rb", "a\0b", "a b", "a:0:0", "../x", "", "a\u0085b"]) {
    expect(() => userIdsScript({ kind: "user-ids", user, uid: 1, gid: 1 })).toThrow("a name that no user can have");
  }
});
