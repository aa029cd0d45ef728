import { UserError } from "../errors.ts";
import { formatReference, type ImageReference, parseImageReference } from "./reference.ts";

/** Where an image is, or is to go: the field's own transports as data. Paths are as written. */
export type ImageTransport =
  | { readonly kind: "registry"; readonly reference: ImageReference }
  /** A folder that is an OCI layout; `name` is a tag or digest in it. */
  | { readonly kind: "oci-layout"; readonly path: string; readonly name: string | undefined }
  | { readonly kind: "oci-archive"; readonly path: string; readonly name: string | undefined }
  | { readonly kind: "docker-archive"; readonly path: string; readonly name: string | undefined }
  /** A tar that is OCI layout and docker-loadable in one. */
  | { readonly kind: "archive"; readonly path: string }
  | { readonly kind: "engine"; readonly name: string }
  /** cooper's own store. */
  | { readonly kind: "store"; readonly reference: ImageReference }
  | { readonly kind: "scratch" };

/** An output as written, with the names that it gives the image. */
export type ImageOutput = { readonly transport: ImageTransport; readonly names: readonly string[] };

const forms =
  "Forms: REFERENCE or docker://REFERENCE, oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:REFERENCE], engine:REFERENCE, store:REFERENCE, scratch, FILE.tar; as an output also type=oci|docker,dest=FILE.";

/** What org.opencontainers.image.ref.name may be (OCI image spec, "Annotations"). */
const layoutTag = /^[A-Za-z0-9]+(?:(?:--|[-._:@+])[A-Za-z0-9]+)*(?:\/[A-Za-z0-9]+(?:(?:--|[-._:@+])[A-Za-z0-9]+)*)*$/;

/** What builds call images by that nobody named: no registry has this name, and one on this machine has a port. */
const localRegistry = "localhost";

/**
 * Reads `docker://REF`, a bare reference, which is the store's where it begins with `localhost/`, `oci:DIR[:tag]`, …, `FILE.tar`; throws
 * a UserError for anything else.
 */
export function parseImageTransport(text: string): ImageTransport {
  if (text === "scratch") return { kind: "scratch" };
  const [, scheme = "", rest = ""] = /^([a-z][a-z-]*):(.*)$/s.exec(text) ?? [];
  switch (scheme) {
    case "docker":
      if (!rest.startsWith("//")) throw invalid(text, 'after "docker:" comes "//"');
      return { kind: "registry", reference: referenceIn(rest.slice(2)) };
    case "oci":
      return { kind: "oci-layout", ...splitPath(text, rest) };
    case "oci-archive":
      return { kind: "oci-archive", ...splitPath(text, rest) };
    case "docker-archive":
      return { kind: "docker-archive", ...splitPath(text, rest) };
    case "engine":
      if (rest === "" || rest.startsWith("-")) throw invalid(text, 'after "engine:" comes the name of an image');
      return { kind: "engine", name: rest };
    case "store":
      if (rest === "") throw invalid(text, 'after "store:" comes the name of an image');
      return { kind: "store", reference: referenceIn(rest) };
  }
  if (text.endsWith(".tar")) return { kind: "archive", path: text };
  const reference = referenceIn(text);
  return { kind: reference.domain === localRegistry ? "store" : "registry", reference };
}

function referenceIn(text: string): ImageReference {
  try {
    return parseImageReference(text);
  } catch (cause) {
    if (!(cause instanceof UserError)) throw cause;
    throw new UserError(cause.message, { hint: forms, cause });
  }
}

/** Reads a transport as above, or BuildKit's `type=oci|docker,dest=FILE[,tar=false][,name=…]`. */
export function parseImageOutput(text: string): ImageOutput {
  if (!/(?:^|,)type=/.test(text)) return { transport: requireLayoutTag(text, parseImageTransport(text)), names: [] };
  const fields = new Map(splitFields(text));
  const type = fields.get("type");
  if (type !== "oci" && type !== "docker") throw invalid(text, '"type" is "oci" or "docker"');
  for (const key of fields.keys()) {
    if (!["type", "dest", "tar", "name"].includes(key)) throw invalid(text, `it has the unknown field "${key}"`);
  }
  const path = fields.get("dest") ?? "";
  if (path === "") throw invalid(text, 'it has no "dest="');
  if (path === "-") throw invalid(text, '"dest=-" would be standard output, which has the result');
  if (!["true", "false"].includes(fields.get("tar") ?? "true")) throw invalid(text, '"tar" is "true" or "false"');
  const names = (fields.get("name") ?? "").split(",").filter((name) => name !== "");
  const asFolder = fields.get("tar") === "false";
  switch (type) {
    case "oci":
      return { transport: { kind: asFolder ? "oci-layout" : "oci-archive", path, name: undefined }, names };
    case "docker":
      if (asFolder) throw invalid(text, '"tar=false" is for type=oci');
      return { transport: { kind: "docker-archive", path, name: undefined }, names };
  }
}

/** A tag that other tools would not read is not given to an image. */
function requireLayoutTag(text: string, transport: ImageTransport): ImageTransport {
  const isLayout = transport.kind === "oci-layout" || transport.kind === "oci-archive";
  if (!isLayout || transport.name === undefined || layoutTag.test(transport.name)) return transport;
  throw invalid(text, `${JSON.stringify(transport.name)} is no name for an image in a layout`);
}

/** The text that `parseImageTransport` reads back; registry references in full. */
export function formatImageTransport(transport: Exclude<ImageTransport, { kind: "registry" }>): string {
  switch (transport.kind) {
    case "oci-layout":
      return `oci:${withName(transport)}`;
    case "oci-archive":
    case "docker-archive":
      return `${transport.kind}:${withName(transport)}`;
    case "archive":
      return transport.path;
    case "engine":
      return `engine:${transport.name}`;
    case "store":
      return `store:${formatReference(transport.reference)}`;
    case "scratch":
      return "scratch";
  }
}

function withName({ path, name }: { path: string; name: string | undefined }): string {
  if (name === undefined) return path;
  return name.startsWith("sha256:") ? `${path}@${name}` : `${path}:${name}`;
}

/** As skopeo reads it: the path ends at the first colon; `@sha256:…` at the end is a digest. */
function splitPath(text: string, rest: string): { path: string; name: string | undefined } {
  const [, beforeDigest, digest] = /^(.+)@(sha256:[0-9a-f]{64})$/s.exec(rest) ?? [];
  const colon = rest.indexOf(":");
  const path = beforeDigest ?? (colon === -1 ? rest : rest.slice(0, colon));
  const name = digest ?? (colon === -1 ? undefined : rest.slice(colon + 1));
  if (path === "") throw invalid(text, "it has no path");
  if (name === "") throw invalid(text, "nothing follows its last colon");
  return { path, name };
}

/** `key=value` pairs as csv: a pair in double quotes may hold commas. */
function splitFields(text: string): [string, string][] {
  const pairs = text.match(/"(?:[^"]|"")*"|[^,]+/g) ?? [];
  return pairs.map((written) => {
    const pair = written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written;
    const equals = pair.indexOf("=");
    if (equals < 1) throw invalid(text, `${JSON.stringify(pair)} is no key=value pair`);
    return [pair.slice(0, equals), pair.slice(equals + 1)];
  });
}

function invalid(text: string, reason: string): UserError {
  return new UserError(`Invalid image location ${JSON.stringify(text)}: ${reason}.`, { hint: forms });
}
