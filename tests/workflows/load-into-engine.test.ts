import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { assemble, withFolder } from "./assemble-scene.ts";

/** What Docker 20.10 answers. */
const oldDocker = `#!/bin/sh
case "$1" in
  load) echo "Error processing tar file(exit status 1): archive/tar: invalid tar header" >&2; exit 1 ;;
  *) echo "[]" ;;
esac
`;

test.each([
  ["zstd", "which Docker before 23 cannot read. Assemble it with --compression gzip."],
  ["gzip", undefined],
])("a fake of an old docker that does not load layers of %s is told with what may be the reason", (kind, hint) =>
  withFolder(async (folder) => {
    mkdirSync(join(folder, "tree"));
    mkdirSync(join(folder, "bin"));
    writeFileSync(join(folder, "bin", "docker"), oldDocker, { mode: 0o755 });
    const environment = { PATH: `${join(folder, "bin")}${delimiter}${process.env["PATH"]}` };
    for (const output of [[], ["-o", "image.tar"], ["-o", "oci:layout"]]) {
      const argv = ["tree", "--load", "-t", "acme/app:1", "--compression", kind, ...output];
      const failure = await assemble(folder, argv, environment).catch((thrown: unknown) => thrown);
      expect(failure).toMatchObject({ message: expect.stringContaining("invalid tar header") });
      const told = failure instanceof Error && "hint" in failure ? failure.hint : undefined;
      if (hint === undefined) expect(String(told)).not.toContain("zstd");
      else expect(told).toContain(hint);
    }
  }),
);
