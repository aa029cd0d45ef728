import { expect, test } from "bun:test";
import { cacheArchive } from "../../src/workflows/profile-cache.ts";

const place = (image_cache_dir: string | null, environment: Readonly<Record<string, string>> = {}) =>
  cacheArchive(
    { repo_dir: "r", profile_path: "p", image_cache_dir, force_rebuild: false },
    { id: "abc", repository: "/src/repo" },
    { workingDirectory: "/here", environment },
  );

test("an archive is kept in the folder asked for, else in that of PF_TMP_DIR, else in the repository", () => {
  const environment = { PF_TMP_DIR: "/pf" };
  expect(place("/asked", environment)).toBe("/asked/abc.tar");
  expect(place("asked/here", environment)).toBe("/here/asked/here/abc.tar");
  expect(place(null, environment)).toBe("/pf/image-cache/abc.tar");
  expect(place(null, { PF_TMP_DIR: "" })).toBe("/src/repo/.tmp-test/image-cache/abc.tar");
  expect(place(null)).toBe("/src/repo/.tmp-test/image-cache/abc.tar");
});
