import { expect, test } from "bun:test";
import { readVolumeSizes } from "../../src/runtime/volume-sizes.ts";

test("sizes are read from docker's lines, and one that it does not know is none", () => {
  const sizes = readVolumeSizes("ocx-git-a-cache\t1\t12.5MB\nocx-git-a-local\t0\tN/A\n");
  expect([...sizes]).toEqual([["ocx-git-a-cache", "12.5MB"]]);
});

test("sizes are read from podman's table, and no image's or container's line is taken for a volume's", () => {
  const table = `Images space usage:

REPOSITORY  TAG  IMAGE ID  CREATED  SIZE
debian  3  1MB

Local Volumes space usage:

VOLUME NAME      LINKS       SIZE
ocx-git-a-cache  0           1.2kB
ocx-git-b-local  2           0B
`;
  expect([...readVolumeSizes(table)]).toEqual([
    ["ocx-git-a-cache", "1.2kB"],
    ["ocx-git-b-local", "0B"],
  ]);
});
