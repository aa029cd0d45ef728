import { readFile } from "node:fs/promises";
import type { CertificateFile, NetworkFacts } from "../runtime/diagnosis/check-network.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Proxies and certificate files that the environment names. */
export async function inspectNetwork(environment: Environment): Promise<NetworkFacts> {
  const certificates = await Promise.all(
    (["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"] as const).map((variable) => inspectCertificates(variable, environment)),
  );
  const noProxy = effective("no_proxy", environment)?.value;
  return {
    proxies: ["https_proxy", "http_proxy"].flatMap((name) => effective(name, environment) ?? []),
    noProxy,
    certificates: certificates.filter((file) => file !== undefined),
  };
}

/** Lower case counts before upper case. */
function effective(name: string, environment: Environment): { variable: string; value: string } | undefined {
  const variable = [name, name.toUpperCase()].find((candidate) => (environment[candidate] ?? "") !== "");
  return variable === undefined ? undefined : { variable, value: environment[variable] ?? "" };
}

async function inspectCertificates(
  variable: CertificateFile["variable"],
  environment: Environment,
): Promise<CertificateFile | undefined> {
  const path = environment[variable] ?? "";
  if (path === "") return undefined;
  try {
    const text = await readFile(path, "latin1");
    return {
      variable,
      path,
      state: /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/.test(text) ? "read" : "no certificate",
    };
  } catch (error) {
    const absent = error instanceof Error && "code" in error && error.code === "ENOENT";
    return { variable, path, state: absent ? "absent" : "unreadable" };
  }
}
