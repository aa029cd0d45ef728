import { resolve } from "node:path";
import { UserError } from "../errors.ts";
import type { LocalImageSink } from "../oci/content.ts";
import type { LayoutName } from "../oci/layout-index.ts";
import type { ImageReference } from "../oci/reference.ts";
import { parseImageReference } from "../oci/reference.ts";
import type { ImageOrigin } from "../oci/store-entries.ts";
import type { ImageTransport } from "../oci/transport.ts";
import { openArchiveSink } from "../store/image-archive-sink.ts";
import { openLayoutSink } from "../store/oci-layout-sink.ts";
import { openStore } from "./open-image-store.ts";
import type { Tools } from "./tools.ts";

/** A place on disk that an image can be written to. */
export type LocalOutput = Extract<
  ImageTransport,
  { kind: "oci-layout" | "oci-archive" | "docker-archive" | "archive" | "store" }
>;

/** Whether a transport is a place on disk. */
export function isLocalOutput(transport: ImageTransport): transport is LocalOutput {
  return transport.kind !== "registry" && transport.kind !== "engine" && transport.kind !== "scratch";
}

/** The names of an image beside what its output says, and where it was pulled from, if it was. */
export interface LocalNames {
  readonly references: readonly ImageReference[];
  readonly origin?: ImageOrigin | undefined;
}

/** A sink on disk; the image gets the references and what the output itself says. */
export async function openLocalSink(
  output: LocalOutput,
  { references, origin }: LocalNames,
  tools: Tools,
): Promise<LocalImageSink> {
  if (output.kind === "store") return openStore(tools).openSink({ names: [output.reference, ...references], origin });
  const path = resolve(tools.workingDirectory, output.path);
  const names = references.map((reference): LayoutName => ({ kind: "reference", reference }));
  switch (output.kind) {
    case "oci-layout":
      return openLayoutSink(path, [...tagOf(output.name), ...names]);
    case "oci-archive":
      return openArchiveSink(path, { format: "oci", names: [...tagOf(output.name), ...names] });
    case "archive":
      return openArchiveSink(path, { format: "both", names });
    case "docker-archive": {
      const own = output.name === undefined ? [] : [parseImageReference(output.name)];
      const all = [...own.map((reference): LayoutName => ({ kind: "reference", reference })), ...names];
      return openArchiveSink(path, { format: "docker", names: all });
    }
  }
}

function tagOf(name: string | undefined): LayoutName[] {
  if (name === undefined) return [];
  if (name.startsWith("sha256:")) {
    throw new UserError(`An output is given a tag, not the digest ${name}: that is the image's own.`);
  }
  return [{ kind: "tag", tag: name }];
}
