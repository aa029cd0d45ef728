import { expect, test } from "bun:test";
import { checkNetwork, type NetworkFacts } from "../../../src/runtime/diagnosis/check-network.ts";

const lines = (facts: Partial<NetworkFacts>) =>
  checkNetwork({ proxies: [], noProxy: undefined, certificates: [], ...facts }).map(
    ({ status, title, detail, remedy }) => [status, title, detail, remedy],
  );
const proxy = (value: string) => ({ proxies: [{ variable: "HTTPS_PROXY", value }] });

test("nothing is said where the environment names nothing", () => {
  expect(lines({})).toEqual([]);
});

test("a proxy is named by its host, without its credentials", () => {
  expect(lines({ ...proxy("http://ada:hunter2@proxy.acme:3128"), noProxy: "localhost,.acme" })).toEqual([
    ["ok", "Proxy", "HTTPS_PROXY proxy.acme:3128; not for localhost, .acme", undefined],
  ]);
  expect(lines(proxy("proxy.acme:3128"))).toEqual([["ok", "Proxy", "HTTPS_PROXY proxy.acme:3128", undefined]]);
});

test.each(["http://ada:hunter2@", "::hunter2", "http://"])("%s is no address, and is not repeated", (value) => {
  expect(lines(proxy(value))).toEqual([
    ["problem", "Proxy", "HTTPS_PROXY cannot be read as an address", "Write it as http://host:port, or unset it."],
  ]);
});

test("a SOCKS proxy is a problem, as nothing can be fetched through it", () => {
  expect(lines(proxy("socks5://ada:hunter2@proxy.acme:1080"))).toEqual([
    [
      "problem",
      "Proxy",
      "HTTPS_PROXY (socks5://proxy.acme:1080) is of a kind that Features cannot be fetched through",
      "Name an http or https proxy.",
    ],
  ]);
});

test.each([
  ["absent", "does not exist"],
  ["unreadable", "cannot be read"],
  ["no certificate", "holds no PEM certificate"],
] as const)("a file of certificates that is %s is a problem, beside one that was read", (state, words) => {
  const certificates = [
    { variable: "NODE_EXTRA_CA_CERTS", path: "/ca.pem", state },
    { variable: "SSL_CERT_FILE", path: "/all.pem", state: "read" },
  ] as const;
  expect(lines({ certificates })).toEqual([
    ["ok", "Certificates", "/all.pem (SSL_CERT_FILE)", undefined],
    [
      "problem",
      "Certificates",
      `NODE_EXTRA_CA_CERTS names /ca.pem, which ${words}`,
      "Correct NODE_EXTRA_CA_CERTS, or unset it.",
    ],
  ]);
});
