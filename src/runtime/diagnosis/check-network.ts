import { type Check, enumerate } from "./check.ts";

/** What the environment says about the way to registries. */
export interface NetworkFacts {
  readonly proxies: readonly { readonly variable: string; readonly value: string }[];
  readonly noProxy: string | undefined;
  readonly certificates: readonly CertificateFile[];
}

/** A file of certificates that the environment names. */
export interface CertificateFile {
  readonly variable: "NODE_EXTRA_CA_CERTS" | "SSL_CERT_FILE";
  readonly path: string;
  readonly state: "absent" | "unreadable" | "no certificate" | "read";
}

/** Proxies and certificates that the environment names; nothing where it names none. */
export function checkNetwork(facts: NetworkFacts): Check[] {
  return [...checkProxies(facts), ...checkCertificates(facts.certificates)];
}

function checkProxies({ proxies, noProxy }: NetworkFacts): Check[] {
  if (proxies.length === 0) return [];
  const line = { id: "proxy", title: "Proxy" };
  const read = proxies.map(({ variable, value }) => ({ variable, address: addressIn(value) }));
  const invalid = read.filter(({ address }) => address === undefined).map(({ variable }) => variable);
  if (invalid.length > 0) {
    return [
      {
        ...line,
        status: "problem",
        detail: `${enumerate(invalid)} cannot be read as an address`,
        remedy: "Write it as http://host:port, or unset it.",
      },
    ];
  }
  const unsupported = read.flatMap(({ variable, address }) =>
    address !== undefined && !/^https?:$/.test(address.scheme)
      ? [`${variable} (${address.scheme}//${address.host})`]
      : [],
  );
  if (unsupported.length > 0) {
    return [
      {
        ...line,
        status: "problem",
        detail: `${enumerate(unsupported)} is of a kind that Features cannot be fetched through`,
        remedy: "Name an http or https proxy.",
      },
    ];
  }
  const named = read.map(({ variable, address }) => `${variable} ${address?.host}`).join(", ");
  const except = noProxy === undefined ? "" : `; not for ${noProxy.split(",").join(", ")}`;
  return [{ ...line, status: "ok", detail: `${named}${except}` }];
}

function addressIn(value: string): { scheme: string; host: string } | undefined {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`);
  return url === null || url.host === "" ? undefined : { scheme: url.protocol, host: url.host };
}

function checkCertificates(files: readonly CertificateFile[]): Check[] {
  const line = { id: "certificates", title: "Certificates" };
  const read = files.filter(({ state }) => state === "read").map(({ path, variable }) => `${path} (${variable})`);
  const troubles: Check[] = files.flatMap(({ variable, path, state }) => {
    const trouble = TROUBLES[state];
    if (trouble === undefined) return [];
    const detail = `${variable} names ${path}, which ${trouble}`;
    return [{ ...line, status: "problem", detail, remedy: `Correct ${variable}, or unset it.` }];
  });
  return [...(read.length === 0 ? [] : [{ ...line, status: "ok" as const, detail: read.join(", ") }]), ...troubles];
}

const TROUBLES: Readonly<Record<CertificateFile["state"], string | undefined>> = {
  read: undefined,
  absent: "does not exist",
  unreadable: "cannot be read",
  "no certificate": "holds no PEM certificate",
};
