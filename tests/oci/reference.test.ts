import { expect, test } from "bun:test";
import { UserError } from "../../src/errors.ts";
import { formatName, formatReference, parseImageReference, registryHost, versionOf } from "../../src/oci/reference.ts";

const digest = `sha256:${"a".repeat(64)}`;

test.each([
  ["debian", "docker.io/library/debian:latest"],
  ["debian:12", "docker.io/library/debian:12"],
  ["acme/dev", "docker.io/acme/dev:latest"],
  ["docker.io/debian", "docker.io/library/debian:latest"],
  ["index.docker.io/library/debian", "docker.io/library/debian:latest"],
  ["ghcr.io/acme/dev:2", "ghcr.io/acme/dev:2"],
  ["localhost/cooper/app:0123", "localhost/cooper/app:0123"],
  ["localhost:5000/app", "localhost:5000/app:latest"],
  ["localhost:5000", "docker.io/library/localhost:5000"],
  ["registry:5000/app:1", "registry:5000/app:1"],
  ["GHCR.io/acme/dev", "ghcr.io/acme/dev:latest"],
  ["[::1]:5000/app", "[::1]:5000/app:latest"],
  ["127.0.0.1:5000/a/b/c__d-e.f", "127.0.0.1:5000/a/b/c__d-e.f:latest"],
  [`debian@${digest}`, `docker.io/library/debian@${digest}`],
  [`ghcr.io/acme/dev:2@${digest}`, `ghcr.io/acme/dev:2@${digest}`],
])("the reference %s means %s", (written, full) => {
  expect(formatReference(parseImageReference(written))).toBe(full);
});

test("a full reference is read back as the same reference", () => {
  const reference = parseImageReference(`ghcr.io/acme/dev:2@${digest}`);
  expect(parseImageReference(formatReference(reference))).toEqual(reference);
});

test.each([
  "",
  "Debian",
  "debian:",
  "debian:-1",
  "debian@",
  "debian@sha256:abc",
  `debian@${digest}@${digest}`,
  "/debian",
  "debian/",
  "a//b",
  "../etc",
  "ghcr.io/../x",
  "ghcr.io/a b",
  "-host.io/x",
  "user:password@host.io/x",
  "https://ghcr.io/x",
  "ghcr.io/x?y",
  "ghcr.io:/x",
  `debian:${"t".repeat(129)}`,
  "debian\n",
])("%j is refused as an image reference", (written) => {
  expect(() => parseImageReference(written)).toThrow(UserError);
});

test("the digest is what a registry is asked for when there is one", () => {
  expect(versionOf(parseImageReference("debian"))).toBe("latest");
  expect(versionOf(parseImageReference("debian:12"))).toBe("12");
  expect(versionOf(parseImageReference(`debian:12@${digest}`))).toBe(digest);
});

test("docker.io is served by another host than its name", () => {
  const reference = parseImageReference("debian");
  expect(formatName(reference)).toBe("docker.io/library/debian");
  expect(registryHost(reference.domain)).toBe("registry-1.docker.io");
  expect(registryHost("localhost:5000")).toBe("localhost:5000");
});
