import { expect, test } from "bun:test";
import { explainNetworkFailure } from "../../src/host/network-error.ts";

const url = new URL("https://user:secret@registry.example:5000/v2/?token=secret");

function failure(code: string): Error {
  return Object.assign(new Error(`${code} fetching ${url.href}`), { code });
}

test.each([
  ["ENOTFOUND", "its name is unknown"],
  ["CERT_HAS_EXPIRED", "its certificate has expired"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "its certificate is not trusted"],
  ["ERR_PROXY_TUNNEL", "the proxy refused to connect to it"],
  ["E_NEW", "the request failed (E_NEW)"],
])("%s is explained in words", (code, words) => {
  expect(explainNetworkFailure(failure(code), url).message).toBe(`Could not reach registry.example:5000: ${words}.`);
});

test("a certificate of a private authority comes with what to set", () => {
  expect(explainNetworkFailure(failure("UNABLE_TO_VERIFY_LEAF_SIGNATURE"), url).hint).toContain("NODE_EXTRA_CA_CERTS");
});

test("the proxy in use is named", () => {
  const { hint } = explainNetworkFailure(failure("ECONNREFUSED"), url, { proxyVariable: "HTTPS_PROXY" });
  expect(hint).toBe("Check that it is running and listens on that port. The proxy in HTTPS_PROXY is used for it.");
});

test("neither message nor hint shows what may be secret in an address", () => {
  const { message, hint } = explainNetworkFailure(failure("E_NEW"), url);
  expect(`${message}${hint}`).not.toContain("secret");
});
