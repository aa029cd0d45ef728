import { expect, test } from "bun:test";
import { formatImageTransport, parseImageOutput, parseImageTransport } from "../../src/oci/transport.ts";

const digest = `sha256:${"a".repeat(64)}`;

test.each([
  ["scratch", { kind: "scratch" }],
  ["oci:dir", { kind: "oci-layout", path: "dir", name: undefined }],
  ["oci:/a/dir:v1", { kind: "oci-layout", path: "/a/dir", name: "v1" }],
  [`oci:dir@${digest}`, { kind: "oci-layout", path: "dir", name: digest }],
  ["oci-archive:x.tar:v1", { kind: "oci-archive", path: "x.tar", name: "v1" }],
  ["docker-archive:x.tar:acme/app:1", { kind: "docker-archive", path: "x.tar", name: "acme/app:1" }],
  ["engine:acme/app:1", { kind: "engine", name: "acme/app:1" }],
  [
    "store:docker.io/library/debian:12",
    { kind: "store", reference: { domain: "docker.io", repository: "library/debian", tag: "12", digest: undefined } },
  ],
  ["image.tar", { kind: "archive", path: "image.tar" }],
  ["./out/image.tar", { kind: "archive", path: "./out/image.tar" }],
] as const)("%s is a place, and is written the same way", (text, transport) => {
  expect(parseImageTransport(text)).toEqual(transport);
  expect(formatImageTransport(transport)).toBe(text);
});

test.each(["debian", "docker://debian", "docker.io/library/debian"])("%s is in a registry", (text) => {
  expect(parseImageTransport(text)).toEqual({
    kind: "registry",
    reference: { domain: "docker.io", repository: "library/debian", tag: undefined, digest: undefined },
  });
});

test("what builds call localhost is in the store, and a registry on this machine has a port or is said to be one", () => {
  expect(parseImageTransport("localhost/cooper/app:1")).toMatchObject({ kind: "store" });
  expect(parseImageTransport("localhost:5000/cooper/app:1")).toMatchObject({ kind: "registry" });
  expect(parseImageTransport("docker://localhost/cooper/app:1")).toMatchObject({ kind: "registry" });
});

test("a name in the store is completed like any other", () => {
  expect(parseImageTransport("store:debian:12")).toEqual(parseImageTransport("store:docker.io/library/debian:12"));
});

test("a host with a port is no transport", () => {
  expect(parseImageTransport("localhost:5000/app:1")).toMatchObject({
    kind: "registry",
    reference: { domain: "localhost:5000" },
  });
});

test.each(["docker://", "store:Upper/Case", "Upper/Case"])(
  "what is no name in %j is told with the forms there are",
  (text) => {
    expect(() => parseImageTransport(text)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining("Invalid image reference"),
        hint: expect.stringContaining("docker://REFERENCE"),
      }),
    );
  },
);

test.each([
  ["oci:", "it has no path"],
  ["oci:dir:", "nothing follows its last colon"],
  ["docker:debian", 'after "docker:" comes "//"'],
  ["engine:", "comes the name of an image"],
  ["store:", "comes the name of an image"],
  ["engine:--all", "comes the name of an image"],
  ["Upper/Case", "Invalid image reference"],
  ["", "Invalid image reference"],
])("%j is refused", (text, message) => {
  expect(() => parseImageTransport(text)).toThrow(message);
});

test.each([
  ["type=oci,dest=x.tar", { kind: "oci-archive", path: "x.tar", name: undefined }, []],
  ["type=oci,dest=x,tar=false", { kind: "oci-layout", path: "x", name: undefined }, []],
  [
    "dest=x.tar,type=docker,name=acme/app:1",
    { kind: "docker-archive", path: "x.tar", name: undefined },
    ["acme/app:1"],
  ],
  ['type=oci,dest=x.tar,"name=a,b"', { kind: "oci-archive", path: "x.tar", name: undefined }, ["a", "b"]],
  ["oci:dir", { kind: "oci-layout", path: "dir", name: undefined }, []],
] as const)("as an output, %s is what it is to BuildKit", (text, transport, names) => {
  expect(parseImageOutput(text)).toEqual({ transport, names: [...names] });
});

test.each([
  ["type=oci", 'it has no "dest="'],
  ["type=registry,dest=x", '"type" is "oci" or "docker"'],
  ["type=image,push=true", '"type" is "oci" or "docker"'],
  ["type=oci,dest=-", '"dest=-" would be standard output'],
  ["type=oci,dest=x,tar=maybe", '"tar" is "true" or "false"'],
  ["oci:dir:bad tag", '"bad tag" is no name for an image in a layout'],
  ["type=docker,dest=x,tar=false", '"tar=false" is for type=oci'],
  ["type=oci,dest=x,push=true", 'unknown field "push"'],
  ["type=oci,x", '"x" is no key=value pair'],
])("the output %s is refused", (text, message) => {
  expect(() => parseImageOutput(text)).toThrow(message);
});
