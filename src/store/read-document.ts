import { messageOf } from "../errors.ts";
import { isJsonObject } from "../json.ts";
import { type Digest, sha256Of } from "../oci/digest.ts";
import { checkBlob } from "../oci/validation/check-layer.ts";
import type { Fault } from "../oci/validation/fault.ts";

/** What reading a JSON document came to: what is wrong with it, and the document when it is a JSON object. */
export type ReadDocument = { readonly faults: readonly Fault[]; readonly document: object | undefined };

/** Reads a JSON object of at most `maximum` bytes; with a descriptor, it is compared with that first. */
export async function readDocument(
  chunks: AsyncIterable<Uint8Array> | undefined,
  options: { maximum: number; place: string; descriptor?: { digest: Digest; size: number } },
): Promise<ReadDocument> {
  const { maximum, place, descriptor } = options;
  if (chunks === undefined) return failed({ kind: "missing", place, problem: "it is not there" });
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > maximum) {
      const problem = `it has more than ${maximum} bytes, which registries and engines refuse`;
      return failed({ kind: "too-large", place, problem });
    }
    parts.push(chunk);
  }
  const bytes = Buffer.concat(parts);
  const faults = descriptor === undefined ? [] : checkBlob({ digest: sha256Of(bytes), size }, { descriptor, place });
  const read = parse(bytes, place);
  return { faults: [...faults, ...read.faults], document: read.document };
}

function parse(bytes: Uint8Array, place: string): ReadDocument {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (Array.isArray(value)) return { faults: [], document: value };
    if (isJsonObject(value)) return { faults: [], document: value };
    return failed({ kind: "json", place, problem: "it is JSON, but no object" });
  } catch (thrown) {
    return failed({ kind: "json", place, problem: `it is no JSON: ${messageOf(thrown)}` });
  }
}

function failed(fault: Fault): ReadDocument {
  return { faults: [fault], document: undefined };
}
