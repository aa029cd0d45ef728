import { expect, test } from "bun:test";
import { UserError } from "../../src/errors.ts";
import { isLoopbackHost, registryOrigin } from "../../src/oci/registry-origin.ts";

test.each([
  ["ghcr.io", "https://ghcr.io"],
  ["docker.io", "https://registry-1.docker.io"],
  ["registry.example:5000", "https://registry.example:5000"],
  ["localhost", "http://localhost"],
  ["localhost:5000", "http://localhost:5000"],
  ["127.0.0.1:5000", "http://127.0.0.1:5000"],
  ["127.200.3.4", "http://127.200.3.4"],
  ["[::1]:5000", "http://[::1]:5000"],
  ["[2001:db8::1]:5000", "https://[2001:db8::1]:5000"],
  ["10.0.0.1:5000", "https://10.0.0.1:5000"],
  ["127.0.0.1.evil.example", "https://127.0.0.1.evil.example"],
  ["localhost.evil.example", "https://localhost.evil.example"],
  ["127.0.0.256", "https://127.0.0.256"],
])("the registry %s is served by %s", (domain, origin) => {
  expect(registryOrigin(domain)).toBe(origin);
});

test.each([
  "registry",
  "registry:5000",
  "localhostile",
  "localhostile:5000",
  "ghcr.io@evil.example",
  "ghcr.io/x",
  "ghcr.io#",
  "",
])("%s is never contacted", (domain) => {
  expect(() => registryOrigin(domain)).toThrow(UserError);
});

test("a loopback host is written in one way only", () => {
  expect(["localhost", "127.0.0.1", "[::1]"].every(isLoopbackHost)).toBe(true);
  expect(["", "0.0.0.0", "localhost.", "127.1", "::ffff:127.0.0.1"].some(isLoopbackHost)).toBe(false);
});
