import { UserError } from "../errors.ts";

/** A request that got no complete answer; `transient` when asking again may well help. */
export class NetworkError extends UserError {
  readonly transient: boolean;

  constructor(message: string, options: { transient: boolean; hint?: string | undefined }) {
    super(message, options.hint === undefined ? {} : { hint: options.hint });
    this.name = "NetworkError";
    this.transient = options.transient;
  }
}

type Explanation = { readonly found: string; readonly hint?: string; readonly transient?: boolean };

const untrusted: Explanation = {
  found: "its certificate is not trusted",
  hint: "If a private authority signed it, name that authority's certificate file in NODE_EXTRA_CA_CERTS.",
};

const explanations: ReadonlyMap<string, Explanation> = new Map<string, Explanation>([
  ["ECONNREFUSED", { found: "connection refused", hint: "Check that it is running and listens on that port." }],
  ["ENOTFOUND", { found: "its name is unknown", hint: "Check the spelling and this machine's DNS." }],
  ["EAI_AGAIN", { found: "its name could not be looked up", hint: "Check this machine's DNS.", transient: true }],
  ["ECONNRESET", { found: "the connection was closed before the answer was complete", transient: true }],
  ["EPIPE", { found: "the connection was closed before the request was complete", transient: true }],
  ["ETIMEDOUT", { found: "the connection timed out", transient: true }],
  ["ENETUNREACH", { found: "the network is unreachable" }],
  ["EHOSTUNREACH", { found: "the host is unreachable" }],
  ["EPROTO", { found: "it does not speak TLS on that port" }],
  ["ERR_PROXY_TUNNEL", { found: "the proxy refused to connect to it" }],
  ["CERT_HAS_EXPIRED", { found: "its certificate has expired" }],
  ["ERR_TLS_CERT_ALTNAME_INVALID", { found: "its certificate is for another name" }],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", untrusted],
  ["UNABLE_TO_GET_ISSUER_CERT", untrusted],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", untrusted],
  ["SELF_SIGNED_CERT_IN_CHAIN", untrusted],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", untrusted],
]);

/**
 * The error for what `fetch` threw about `url`: host and reason. The rest of the address can hold secrets, and so can
 * the message of what was thrown: neither is kept.
 */
export function explainNetworkFailure(
  thrown: unknown,
  url: URL,
  options: { proxyVariable?: string | undefined } = {},
): NetworkError {
  const explanation = explain(thrown);
  const { proxyVariable } = options;
  const proxyHint = proxyVariable === undefined ? undefined : `The proxy in ${proxyVariable} is used for it.`;
  const hint = [explanation.hint, proxyHint].filter((part) => part !== undefined).join(" ");
  return new NetworkError(`Could not reach ${url.host}: ${explanation.found}.`, {
    transient: explanation.transient ?? false,
    hint: hint === "" ? undefined : hint,
  });
}

function explain(thrown: unknown): Explanation {
  if (!(thrown instanceof Error)) return { found: "the request failed" };
  if (thrown.name === "TimeoutError") return { found: "it stopped answering", transient: true };
  const code = "code" in thrown && typeof thrown.code === "string" ? thrown.code : "";
  return explanations.get(code) ?? { found: code === "" ? "the request failed" : `the request failed (${code})` };
}
